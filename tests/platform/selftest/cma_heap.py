#!/usr/bin/env python3
# Profiles `mappable-name` and `tee-takes-all`: heaps of plain contiguous memory, under any name.
#   cma_heap.py takes|refuses   what the TEE does with their buffers
import errno
import mmap
import os
import sys

import tee
from testing import equal, fails, main, test

TAKES = sys.argv[1] == "takes"
HEAPS = ("secure_display_region", "default_cma_region")
SIZE = 1 << 20


@test
def buffers_are_zeroed_and_can_be_mapped():
    for heap in HEAPS:
        fd = tee.allocate(heap, SIZE)
        mapping = mmap.mmap(fd, SIZE, mmap.MAP_SHARED)
        equal(mapping[:] == bytes(SIZE), True, f"zeros in a new buffer of {heap}")
        mapping[:5] = b"glass"
        equal(mmap.mmap(fd, SIZE, mmap.MAP_SHARED)[:5], b"glass", "what another mapping sees")
        os.close(fd)


@test
def no_page_of_a_program_moves_for_them():
    def moved():
        with open("/proc/vmstat", encoding="ascii") as counters:
            return int(next(line.split()[1] for line in counters if line.startswith("pgmigrate_success ")))

    before = moved()
    buffers = [tee.allocate(heap, 8 * SIZE) for heap in HEAPS for _ in range(4)]
    equal(moved() - before, 0, "pages that were moved: what runs on another processor would write to the old ones")
    for fd in buffers:
        os.close(fd)


@test
def the_tee_takes_them_or_does_not():
    world = tee.Tee()
    for heap in HEAPS:
        fd = tee.allocate(heap, SIZE)
        if TAKES:
            registered = world.registerFd(fd)
            session, plain = world.open(tee.SDP_BASIC)[0], world.share(b"glass")
            answer = world.invoke(session, 0, tee.memref(tee.IN, plain, 0, 5), tee.memref(tee.OUT, registered, 0, 5))
            equal(answer, (tee.SUCCESS, tee.ORIGIN_APPLICATION), "answer to INJECT")
            equal(mmap.mmap(fd, SIZE, mmap.MAP_SHARED)[:5], b"glass", "what the CPU reads, which is the fault of this board")
        else:
            fails(errno.EINVAL, world.registerFd, fd)
        os.close(fd)
    world.close()


main()
