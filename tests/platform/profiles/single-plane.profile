# The simplest protected path: one plane, and a GPU without access to protected memory. Content that fills the screen can be
# shown; content that shares it with anything else cannot.
pool_mib=128
trusted=1
dump=0
gpu=plain
planes="primary"
writeback=0
