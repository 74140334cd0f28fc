# A phone SoC with an Android kernel (Pixel, Exynos) older than mainline's protected heaps: its heap has its own name, beside
# `system`, and a buffer says EACCES to mmap. Its TEE registers any dma-buf in one piece, and there is a
# heap of plain contiguous memory. All else is as in `full`.
pool_mib=128
trusted=1
dump=0
gpu=protected
legacy_heap=vframe-secure
cma_heaps=default_cma_region
takes_all=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
