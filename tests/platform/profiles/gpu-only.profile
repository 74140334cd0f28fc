# A SoC whose display controller has one plane for pictures and one for a cursor (which takes small ARGB images and no
# video), and whose GPU may read and write protected memory: composition is the protected path, planes are none.
pool_mib=128
trusted=1
dump=0
gpu=protected
planes="primary cursor"
writeback=0
