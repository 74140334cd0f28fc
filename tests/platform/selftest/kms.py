# A KMS client in a few lines, over the ioctls of drm.h and drm_mode.h: atomic commits by property name.
import ctypes
import fcntl
import glob
import mmap
import os
import struct

TEST_ONLY, NONBLOCK, ALLOW_MODESET = 0x100, 0x200, 0x400
CRTC, CONNECTOR, PLANE = 0xCCCCCCCC, 0xC0C0C0C0, 0xEEEEEEEE


def fourcc(text):
    return struct.unpack("<I", text.encode())[0]


def _iowr(number, size):
    return 3 << 30 | size << 16 | 0x64 << 8 | number


class Card:
    def __init__(self, node="/dev/dri/card0"):
        self.fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        for capability in (2, 3):  # universal planes, atomic
            fcntl.ioctl(self.fd, 0x4010640D, struct.pack("QQ", capability, 1))
        self.crtc, self.connector = self._resources()
        self.planes = {plane: self.properties(plane, PLANE) for plane in self._planes()}

    def _call(self, number, format, *values):
        data = bytearray(struct.pack(format, *values))
        fcntl.ioctl(self.fd, _iowr(number, len(data)), data)
        return struct.unpack(format, data)

    def _array(self, count, type=ctypes.c_uint32):
        array = (type * max(count, 1))()
        return array, ctypes.addressof(array)

    def _resources(self):
        counts = self._call(0xA0, "QQQQIIIIIIII", *[0] * 12)
        crtcs, crtcsAt = self._array(counts[5])
        connectors, connectorsAt = self._array(counts[6])
        self._call(0xA0, "QQQQIIIIIIII", 0, crtcsAt, connectorsAt, 0, 0, counts[5], counts[6], 0, 0, 0, 0, 0)
        return crtcs[0], connectors[0]

    def _planes(self):
        _, count, _ = self._call(0xB5, "QII", 0, 0, 0)
        planes, at = self._array(count)
        self._call(0xB5, "QII", at, count, 0)
        return list(planes)

    def properties(self, object, kind):
        """name -> (id, value)"""
        reply = self._call(0xB9, "QQIIII", 0, 0, 0, object, kind, 0)
        ids, idsAt = self._array(reply[2])
        values, valuesAt = self._array(reply[2], ctypes.c_uint64)
        self._call(0xB9, "QQIIII", idsAt, valuesAt, reply[2], object, kind, 0)
        found = {}
        for id, value in zip(ids, values):
            name = self._call(0xAA, "QQII32sII", 0, 0, id, 0, b"", 0, 0)[4].rstrip(b"\0").decode()
            found[name] = (id, value)
        return found

    def mode(self):
        """The connector's first mode: (blob of it, width, height)"""
        format = "QQQQIIIIIIIIIIII"
        counts = self._call(0xA7, format, 0, 0, 0, 0, 0, 0, 0, 0, self.connector, *[0] * 7)
        modes, at = self._array(68 * counts[4], ctypes.c_uint8)
        self._call(0xA7, format, 0, at, 0, 0, counts[4], 0, 0, 0, self.connector, *[0] * 7)
        width, height = struct.unpack_from("H", bytes(modes), 4)[0], struct.unpack_from("H", bytes(modes), 14)[0]
        _, _, blob = self._call(0xBD, "QII", at, 68, 0)
        return blob, width, height

    def dumb(self, width, height, pixels):
        """A framebuffer of ordinary memory, XRGB8888, from bytes."""
        _, _, _, _, handle, pitch, size = self._call(0xB2, "IIIIIIQ", height, width, 32, 0, 0, 0, 0)
        _, _, offset = self._call(0xB3, "IIQ", handle, 0, 0)
        with mmap.mmap(self.fd, size, offset=offset) as memory:
            for y in range(height):
                memory[y * pitch:y * pitch + width * 4] = pixels[y * width * 4:(y + 1) * width * 4]
        return self.framebuffer(handle, width, height, "XR24", [(pitch, 0)])

    def importDmabuf(self, fd):
        return self._call(0x2E, "IIi", 0, 0, fd)[0]

    def framebuffer(self, handle, width, height, format, layout):
        """layout: (pitch, offset) of each plane"""
        handles = [handle] * len(layout) + [0] * (4 - len(layout))
        pitches = [pitch for pitch, _ in layout] + [0] * (4 - len(layout))
        offsets = [offset for _, offset in layout] + [0] * (4 - len(layout))
        return self._call(0xB8, "IIIII4I4I4I4x4Q", 0, width, height, fourcc(format), 0, *handles, *pitches, *offsets, 0, 0, 0, 0)[0]

    def commit(self, state, flags=0):
        """state: {(object, kind): {property name: value}}"""
        objects, counts, ids, values = [], [], [], []
        for (object, kind), wanted in state.items():
            known = self.properties(object, kind)
            objects.append(object)
            counts.append(len(wanted))
            ids += [known[name][0] for name in wanted]
            values += [value & (2**64 - 1) for value in wanted.values()]
        arrays = [(ctypes.c_uint32 * len(objects))(*objects), (ctypes.c_uint32 * len(counts))(*counts),
                  (ctypes.c_uint32 * len(ids))(*ids), (ctypes.c_uint64 * len(values))(*values)]
        self._call(0xBC, "IIQQQQQQ", flags, len(objects), *[ctypes.addressof(array) for array in arrays], 0, 0)

    def lightUp(self, fb):
        """The state that shows fb alone on the primary plane, in the first mode."""
        blob, width, height = self.mode()
        return {(self.connector, CONNECTOR): {"CRTC_ID": self.crtc},
                (self.crtc, CRTC): {"MODE_ID": blob, "ACTIVE": 1},
                (self.primary(), PLANE): self.show(fb, 0, 0, width, height)}

    def show(self, fb, x, y, width, height):
        return {"FB_ID": fb, "CRTC_ID": self.crtc, "SRC_X": 0, "SRC_Y": 0, "SRC_W": width << 16, "SRC_H": height << 16,
                "CRTC_X": x, "CRTC_Y": y, "CRTC_W": width, "CRTC_H": height}

    def ofType(self, type):
        """Planes of a type (0 overlay, 1 primary, 2 cursor), lowest first"""
        found = [plane for plane, known in self.planes.items() if known["type"][1] == type]
        return sorted(found, key=lambda plane: self.planes[plane]["zpos"][1])

    def primary(self):
        return self.ofType(1)[0]


class Picture:
    """What the panel camera sees"""

    def __init__(self, node="/dev/panel-camera0"):
        with open(node, "rb", buffering=0) as camera:
            data = b"".join(iter(lambda: camera.read(1 << 22), b""))
        (self.magic, self.headerSize, self.format, self.width, self.height, self.stride, _, self.sequence, self.timestamp,
         self.number, _) = struct.unpack("<8sIIIIIIQQQQ", data[:64])
        self.pixels = data[self.headerSize:]

    def pixel(self, x, y):
        """0xRRGGBB"""
        return struct.unpack_from("<I", self.pixels, y * self.stride + x * 4)[0] & 0xFFFFFF
