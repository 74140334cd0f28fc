#!/usr/bin/env python3
# In every profile but `selftest`: what is in protected memory does not come out.
import tee
from testing import equal, main, test


@test
def dump_is_not_supported():
    world = tee.Tee()
    session, _, _ = world.open(tee.SDP_BASIC)
    memory, plain = world.protected(4096), world.share(b"\xaa" * 4096)
    for command in (2, 5, 8):
        answer = world.invoke(session, command, tee.memref(tee.IN, memory), tee.memref(tee.OUT, plain))
        equal(answer, (tee.NOT_SUPPORTED, tee.ORIGIN_APPLICATION))
    equal(plain.map[:], b"\xaa" * 4096, "the buffer")


main()
