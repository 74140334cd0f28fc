# A board whose TEE registers any dma-buf in one piece, and whose applications believe that it is protected: of all decisions
# the TEE leaves to userspace, none is made. Its heaps: `secure_display_region`, which maps, and plain contiguous memory.
pool_mib=0
trusted=1
dump=0
gpu=protected
cma_heaps=secure_display_region:default_cma_region
takes_all=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
