# A set-top box: as `full`, but the display is behind an HDMI connector with HDCP. Its receiver takes content type 1 after 100 ms; a test
# changes that through the file hdcp_receiver of kernel/vkms_hdcp.c.
pool_mib=128
trusted=1
dump=0
hdmi=1
planes="underlay primary overlay overlay overlay cursor"
writeback=0
gpu=protected
