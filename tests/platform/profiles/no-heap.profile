# A PC: a TEE device perhaps, but no protected heap.
pool_mib=0
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=plain
