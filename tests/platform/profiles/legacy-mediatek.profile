# A MediaTek SoC as in Chromebooks, with a kernel older than mainline's protected heaps: its heap has its own name, and a
# buffer says EPERM to mmap and to DMA_BUF_IOCTL_SYNC. Its TEE registers any
# dma-buf in one piece, and there is a heap of plain contiguous memory. All else is as in `full`.
pool_mib=128
trusted=1
dump=0
gpu=protected
legacy_heap=restricted_mtk_cma
cma_heaps=default_cma_region
takes_all=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
