# An NVIDIA Tegra SoC with the driver of its video protection region (dri-devel 2026-08-14, not in mainline): a heap called
# `protected`, as its node in the device tree. A buffer says EPERM to mmap and to DMA_BUF_IOCTL_SYNC, and an empty pool
# ENOSPC. Its TEE registers any dma-buf in one piece. All else is as in `full`.
pool_mib=128
trusted=1
dump=0
gpu=protected
legacy_heap=protected
takes_all=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
