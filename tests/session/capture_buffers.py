"""Buffers for captures whose pixels a test reads."""

import fcntl
import mmap
import os
import struct

import numpy as np

XRGB8888, ARGB8888 = 0x34325258, 0x34325241
DMA_HEAP_ALLOC, DMA_BUF_SYNC = 0xC0184800, 0x40086200
SYNC_READ, SYNC_END = 1, 4


class Memory:
    """A wl_buffer in shared memory."""

    def __init__(self, client, width, height, stride=None, form="xrgb8888"):
        self.width, self.height, self.stride = width, height, stride or width * 4
        fd = os.memfd_create("capture")
        os.ftruncate(fd, self.stride * height)
        self.bytes = mmap.mmap(fd, self.stride * height)
        pool = client.bind("wl_shm").create_pool(fd, self.stride * height)
        os.close(fd)
        self.buffer = pool.create_buffer(0, width, height, self.stride, form)
        pool.destroy()

    def pixels(self):
        """Red, green and blue."""
        lines = np.frombuffer(self.bytes, np.uint8).reshape(self.height, self.stride)
        return lines[:, : self.width * 4].reshape(self.height, self.width, 4)[:, :, 2::-1].copy()


class Dmabuf(Memory):
    """A wl_buffer in ordinary memory of the kernel's heaps."""

    def __init__(self, client, width, height, fourcc=XRGB8888):
        self.width, self.height, self.stride = width, height, (width * 4 + 255) // 256 * 256
        size = (self.stride * height + mmap.PAGESIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE
        request = bytearray(struct.pack("=QIIQ", size, 0, os.O_RDWR | os.O_CLOEXEC, 0))
        heap = os.open("/dev/dma_heap/system", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(heap, DMA_HEAP_ALLOC, request)
        os.close(heap)
        self.fd = struct.unpack("=QIIQ", request)[1]
        self.bytes = mmap.mmap(self.fd, self.stride * height)
        params = client.bind("zwp_linux_dmabuf_v1", 3).create_params()
        params.add(self.fd, 0, 0, self.stride, 0, 0)
        self.buffer = params.create_immed(width, height, fourcc, 0)

    def pixels(self):
        fcntl.ioctl(self.fd, DMA_BUF_SYNC, struct.pack("=Q", SYNC_READ))
        try:
            return super().pixels()
        finally:
            fcntl.ioctl(self.fd, DMA_BUF_SYNC, struct.pack("=Q", SYNC_READ | SYNC_END))


def box_of(picture, colour):
    """The box x, y, width, height of all pixels of this colour."""
    ys, xs = (picture == colour).all(axis=2).nonzero()
    return (int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
