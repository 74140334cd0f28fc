# A SoC whose display controller has one plane, and whose GPU may read and write protected memory: composition is the
# protected path. It has no cursor plane, since that of vkms takes video like an overlay.
pool_mib=128
trusted=1
dump=0
gpu=protected
planes="primary"
writeback=0
