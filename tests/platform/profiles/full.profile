# A set-top box or phone SoC: a TEE with 128 MiB of protected memory, a display controller that may read it, one plane
# below the primary and three above, a cursor, and a GPU with protected memory.
pool_mib=128
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=protected
