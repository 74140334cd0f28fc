# A board whose firewall keeps the display controller out: it accepts a protected framebuffer, a test of the commit
# passes, and the commit itself fails with EINVAL.
pool_mib=128
trusted=0
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=none
