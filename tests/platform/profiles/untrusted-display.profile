# A board whose firewall denies the display controller access: it accepts a protected framebuffer, TEST_ONLY passes, and the
# commit itself fails with EINVAL.
pool_mib=128
trusted=0
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=plain
