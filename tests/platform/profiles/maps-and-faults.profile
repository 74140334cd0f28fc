# A vendor's kernel whose protected heap maps its buffers without asking who may read them; each access to the mapping then
# faults (SIGBUS). No program can tell such a heap from ordinary memory without an access, which on hardware may end in an abort.
# Its TEE registers any dma-buf in one piece. All else is as in `full`.
pool_mib=128
trusted=1
dump=0
gpu=protected
legacy_heap=heap-secure
cma_heaps=default_cma_region
takes_all=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
