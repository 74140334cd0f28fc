# A SoC whose GPU cannot reach protected memory, so that planes are the only protected path. For now the same board as
# `full`, whose GPU cannot either; the two differ once the platform has a protected GPU.
pool_mib=128
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
