# A board of today whose device tree has a reusable memory region called `secure_display_region`, of which Linux 6.19 and later
# make a heap. Nothing protects it: the CPU may map each buffer. There is no protected heap. All else is as in `full`.
pool_mib=0
trusted=1
dump=0
gpu=protected
cma_heaps=secure_display_region:default_cma_region
planes="underlay primary overlay overlay overlay cursor"
writeback=0
