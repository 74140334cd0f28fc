# A board whose firewall keeps the display controller out, as `untrusted-display`, and has no planes for pictures, but a GPU
# that may read and write protected memory: what is composed cannot be shown.
pool_mib=128
trusted=0
dump=0
gpu=protected
planes="primary cursor"
writeback=0
