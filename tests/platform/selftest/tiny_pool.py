#!/usr/bin/env python3
# Profile `tiny-pool`: a few frames and no more.
import errno

import tee
from testing import equal, fails, main, test


@test
def pool_holds_two_1080p_nv12_frames():
    frame = 1920 * 1080 * 3 // 2
    buffers = [tee.allocate(tee.PROTECTED, frame) for _ in range(2)]
    fails(errno.ENOMEM, tee.allocate, tee.PROTECTED, frame)
    equal(len(buffers), 2)


main()
