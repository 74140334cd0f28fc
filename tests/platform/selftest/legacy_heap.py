#!/usr/bin/env python3
# Profiles `legacy-*` and `tegra-vpr`: a heap as another kernel has it.
#   legacy_heap.py HEAP MMAP_ERRNO SYNC_ERRNO EXHAUSTED_ERRNO   errnos by name; OK where it succeeds
import errno
import fcntl
import mmap
import os
import struct
import sys

import kms
import tee
from testing import equal, fails, main, test

HEAP, MMAP_ERRNO, SYNC_ERRNO, EXHAUSTED_ERRNO = sys.argv[1:]
PAGE = 4096
SYNC = 1 << 30 | 8 << 16 | ord("b") << 8  # DMA_BUF_IOCTL_SYNC
SYNC_START_READ, SYNC_END_READ = 1, 1 | 4
INJECT = 0


def sync(fd, flags):
    fcntl.ioctl(fd, SYNC, struct.pack("Q", flags))


def fill(fd, data):
    """What the secure world answers to sdp_basic's INJECT of `data`."""
    world = tee.Tee()
    session, _, _ = world.open(tee.SDP_BASIC)
    registered, plain = world.registerFd(fd), world.share(data)
    answer, _ = world.invoke(session, INJECT, tee.memref(tee.IN, plain, 0, len(data)), tee.memref(tee.OUT, registered, 0, len(data)))
    world.close()
    return answer


@test
def heap_has_the_name_of_its_kernel_and_mainlines_is_absent():
    others = [] if os.environ["VITRINE_PROFILE"] == "tegra-vpr" else ["default_cma_region"]
    equal(sorted(os.listdir("/dev/dma_heap")), sorted([HEAP, "system", *others]), "heaps")


@test
def exporter_has_the_name_of_the_heap():
    fd = tee.allocate(HEAP, 5000)
    fields = dict(line.split(":\t", 1) for line in open(f"/proc/self/fdinfo/{fd}").read().splitlines() if ":\t" in line)
    equal((fields["exp_name"].strip(), fields["size"].strip()), (HEAP, str(2 * PAGE)), "exp_name and size")
    equal(os.lseek(fd, 0, os.SEEK_END), 2 * PAGE, "size")
    os.close(fd)


@test
def every_mapping_is_refused_as_its_kernel_does():
    fd = tee.allocate(HEAP, PAGE)
    for protection in (mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_READ | mmap.PROT_WRITE, 0):
        fails(getattr(errno, MMAP_ERRNO), lambda: mmap.mmap(fd, PAGE, mmap.MAP_SHARED, protection))
    fails(errno.EINVAL, os.read, fd, 1)
    fails(errno.EINVAL, os.write, fd, b"x")
    os.close(fd)


@test
def sync_answers_as_its_kernel_does():
    fd = tee.allocate(HEAP, PAGE)
    for flags in (SYNC_START_READ, SYNC_END_READ):
        if SYNC_ERRNO == "OK":
            sync(fd, flags)
        else:
            fails(getattr(errno, SYNC_ERRNO), sync, fd, flags)
    os.close(fd)


@test
def heap_runs_out_as_its_kernel_does_and_recovers():
    for _ in range(2):
        buffers = [tee.allocate(HEAP, 16 << 20) for _ in range(8)]
        fails(getattr(errno, EXHAUSTED_ERRNO), tee.allocate, HEAP, PAGE)
        for fd in buffers:
            os.close(fd)


@test
def any_buffer_in_one_piece_registers():
    world = tee.Tee()
    for heap in sorted(os.listdir("/dev/dma_heap")):
        fd = tee.allocate(heap, PAGE)
        world.registerFd(fd).close()
        os.close(fd)
    fd = tee.allocate("system", 3 * PAGE)  # a piece for each page
    fails(errno.EINVAL, world.registerFd, fd)
    os.close(fd)
    world.close()


@test
def a_registered_buffer_outlives_its_fd_and_returns_to_the_pool():
    world = tee.Tee()
    fd = tee.allocate(HEAP, 128 << 20)
    registered = world.registerFd(fd)
    os.close(fd)
    fails(getattr(errno, EXHAUSTED_ERRNO), tee.allocate, HEAP, PAGE)
    fails(errno.EINVAL, lambda: mmap.mmap(registered.fd, PAGE))
    registered.close()
    os.close(tee.allocate(HEAP, 128 << 20))
    world.close()


@test
def the_secure_world_fills_it_and_the_panel_shows_it():
    card = kms.Card()
    _, width, height = card.mode()
    background = card.dumb(width, height, struct.pack("<I", 0xFF204060) * (width * height))
    card.commit(card.lightUp(background), kms.ALLOW_MODESET)
    fd = tee.allocate(HEAP, 64 * 64 * 4)
    equal(fill(fd, b"\x30\x20\x10\xff" * 4096), tee.SUCCESS, "answer of the secure world")
    fb = card.framebuffer(card.importDmabuf(fd), 64, 64, "XR24", [(256, 0)])
    os.close(fd)
    card.commit({(card.ofType(0)[1], kms.PLANE): card.show(fb, 7, 9, 64, 64)})
    picture = kms.Picture()
    equal((picture.pixel(7, 9), picture.pixel(70, 72), picture.pixel(6, 9)), (0x102030, 0x102030, 0x204060), "pixels")


main()
