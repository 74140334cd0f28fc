# A SoC whose planes have a fixed order with the primary at the bottom, as on Intel and RK3399, and whose GPU cannot reach
# protected memory: what is composed above a protected video needs a plane of its own.
pool_mib=128
trusted=1
dump=0
planes="primary overlay overlay cursor"
writeback=0
gpu=plain
