# The simplest protected path there is: one plane, and a GPU that cannot reach protected memory. What fills the screen
# can be shown; what shares it with anything else cannot.
pool_mib=128
trusted=1
dump=0
gpu=none
planes="primary"
writeback=0
