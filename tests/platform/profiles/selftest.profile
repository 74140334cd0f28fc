# For the platform's own tests: like `full`, but the secure world returns the content of protected memory (sdp_basic's DUMP),
# as OP-TEE's test builds do. A product must not.
pool_mib=128
trusted=1
dump=1
planes="underlay primary overlay overlay overlay cursor"
writeback=1
gpu=protected
