# A board whose firewall denies the display controller access, like `untrusted-display`. It has no planes for pictures, but a
# GPU with access to protected memory: a protected composed picture cannot be shown.
pool_mib=128
trusted=0
dump=0
gpu=protected
planes="primary cursor"
writeback=0
