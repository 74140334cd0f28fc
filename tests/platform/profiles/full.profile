# A set-top box or phone SoC: a TEE with 128 MiB of protected memory, a display controller that may read it, one plane
# below the primary and three above, a cursor. Its GPU (lavapipe) knows no protected memory: the one that does comes later.
pool_mib=128
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
