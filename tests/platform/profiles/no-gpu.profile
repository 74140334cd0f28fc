# A SoC without a usable GPU (Mali-450, or no driver): as `full`, but there is no render node. A software Vulkan driver is installed, which
# a compositor should leave alone.
pool_mib=128
trusted=1
dump=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=none
