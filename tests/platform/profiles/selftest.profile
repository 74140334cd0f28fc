# For the platform's own tests: as `full`, and the secure world hands protected memory out (sdp_basic's DUMP), as
# OP-TEE's test builds do and no product may.
pool_mib=128
trusted=1
dump=1
planes="underlay primary overlay overlay overlay cursor"
writeback=1
gpu=protected
