# A client of the kernel's TEE interface (linux/tee.h) and of dma-buf heaps, written from the headers alone, so that it
# shares nothing with what it tests.
import ctypes
import fcntl
import mmap
import os
import struct

SUCCESS, ACCESS_DENIED, BAD_PARAMETERS, BAD_STATE, ITEM_NOT_FOUND, NOT_SUPPORTED, SHORT_BUFFER = (
    0, 0xFFFF0001, 0xFFFF0006, 0xFFFF0007, 0xFFFF0008, 0xFFFF000A, 0xFFFF0010)
OUT_OF_MEMORY, COMMUNICATION, TARGET_DEAD = 0xFFFF000C, 0xFFFF000E, 0xFFFF3024
ORIGIN_COMMUNICATION, ORIGIN_TEE, ORIGIN_APPLICATION = 2, 3, 4
NONE, VALUE_IN, IN, OUT, INOUT = 0, 1, 5, 6, 7

SDP_BASIC = bytes.fromhex("123456785b6911e49dbb101f74f00099")
PSEUDO = bytes.fromhex("d96a5b40c3e521e387941002a5d5c61b")
BAD_APP = bytes.fromhex("8e2d6c1f0b5a4b7e9f3c5d61e07a420d")
FRAME_DECRYPT = bytes.fromhex("e1938b2bf8aa4611900aa96873961996")


def _request(direction, kind, number, size):
    return direction << 30 | size << 16 | kind << 8 | number


_HEAP_ALLOC = _request(3, ord("H"), 0, 24)
_VERSION = _request(2, 0xA4, 0, 12)
_SHM_ALLOC = _request(3, 0xA4, 1, 16)
_OPEN_SESSION = _request(2, 0xA4, 2, 16)
_INVOKE = _request(2, 0xA4, 3, 16)
_CLOSE_SESSION = _request(2, 0xA4, 5, 4)
_SHM_REGISTER_FD = _request(3, 0xA4, 8, 24)
_SHM_REGISTER = _request(3, 0xA4, 9, 24)

PROTECTED = "protected,secure-video"


def allocate(heap, size):
    """A dma-buf of a heap, as an fd."""
    node = os.open(f"/dev/dma_heap/{heap}", os.O_RDWR | os.O_CLOEXEC)
    try:
        data = bytearray(struct.pack("QIIQ", size, 0, os.O_RDWR | os.O_CLOEXEC, 0))
        fcntl.ioctl(node, _HEAP_ALLOC, data)
        return struct.unpack("QIIQ", data)[1]
    finally:
        os.close(node)


class Memory:
    """Memory that the TEE knows: fd, id, size, and map where the client has one."""

    def __init__(self, fd, id, size, map=None):
        self.fd, self.id, self.size, self.map = fd, id, size, map

    def close(self):
        os.close(self.fd)


class Tee:
    def __init__(self, node="/dev/tee0"):
        self.fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)

    def close(self):
        os.close(self.fd)

    def version(self):
        data = bytearray(12)
        fcntl.ioctl(self.fd, _VERSION, data)
        return struct.unpack("III", data)

    def share(self, contents, size=0):
        """Ordinary shared memory of the TEE's, with these contents."""
        data = bytearray(struct.pack("QIi", max(len(contents), size), 0, 0))
        fd = fcntl.ioctl(self.fd, _SHM_ALLOC, data)
        size, _, id = struct.unpack("QIi", data)
        mapping = mmap.mmap(fd, size)
        mapping[:len(contents)] = contents
        return Memory(fd, id, size, mapping)

    def register(self, buffer):
        """The client's own memory (a writable ctypes buffer)."""
        data = bytearray(struct.pack("QQIi", ctypes.addressof(buffer), len(buffer), 0, 0))
        fd = fcntl.ioctl(self.fd, _SHM_REGISTER, data)
        return Memory(fd, struct.unpack("QQIi", data)[3], len(buffer))

    def registerFd(self, dmabuf):
        data = bytearray(struct.pack("qQIi", dmabuf, 0, 0, 0))
        fd = fcntl.ioctl(self.fd, _SHM_REGISTER_FD, data)
        _, size, _, id = struct.unpack("qQIi", data)
        return Memory(fd, id, size)

    def protected(self, size):
        dmabuf = allocate(PROTECTED, size)
        try:
            return self.registerFd(dmabuf)
        finally:
            os.close(dmabuf)

    def _call(self, request, head, params):
        argument = (ctypes.c_char * (len(head) + 32 * len(params)))()
        argument[:] = head + b"".join(struct.pack("QQQQ", *param) for param in params)
        fcntl.ioctl(self.fd, request, struct.pack("QQ", ctypes.addressof(argument), len(argument)))
        return bytes(argument)

    def open(self, uuid):
        """(session, ret, origin)"""
        reply = self._call(_OPEN_SESSION, struct.pack("16s16sIIIIII", uuid, bytes(16), 0, 0, 0, 0, 0, 0), [])
        return struct.unpack("16s16sIIIIII", reply)[4:7]

    def closeSession(self, session):
        fcntl.ioctl(self.fd, _CLOSE_SESSION, struct.pack("I", session))

    def invoke(self, session, command, *params):
        """(ret, origin)"""
        reply = self._call(_INVOKE, struct.pack("IIIIII", command, session, 0, 0, 0, len(params)), params)
        return struct.unpack("IIIIII", reply[:24])[3:5]


def memref(kind, memory, offset=0, size=None):
    return (kind, offset, memory.size - offset if size is None else size, memory.id)
