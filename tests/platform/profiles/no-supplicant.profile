# A board whose tee-supplicant does not run: opening an application that is not built into the TEE never returns, and holds one of
# the TEE's two threads. optee_test's sdp_basic is built in. All else is as in `full`.
pool_mib=128
trusted=1
dump=0
gpu=protected
supplicant=0
planes="underlay primary overlay overlay overlay cursor"
writeback=0
