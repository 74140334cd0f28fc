# A laptop with a monitor, or a board with two panels: one display controller with two CRTCs, either of which can serve either
# connector and use the underlay and the overlays. All else is as in `full`. vkms cannot leave it open which CRTC a primary is for,
# as many controllers do; the unit tests' fake driver can.
pool_mib=128
trusted=1
dump=0
gpu=protected
outputs=2
planes="underlay primary primary overlay overlay overlay cursor cursor"
writeback=0
