# A board with too little protected memory (OP-TEE on QEMU has 4 MiB): room for a few frames only.
pool_mib=8
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=plain
