# A SoC whose GPU has no access to protected memory, so that planes are the only protected path. Otherwise like `full`.
pool_mib=128
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=plain
