"""A mouse with a keyboard, made of uinput: real input devices, through the kernel, udev and libinput."""

import fcntl
import os
import struct

EV_SYN, EV_KEY, EV_REL = 0, 1, 2
REL_X, REL_Y = 0, 1
BTN_LEFT = 0x110
KEYS = {"logo": 125, "q": 16, "f": 33, "a": 30, "ctrl": 29, "alt": 56, **{f"f{n}": 58 + n for n in range(1, 11)}}

UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_RELBIT = 0x40045564, 0x40045565, 0x40045566
UI_DEV_CREATE, UI_DEV_DESTROY, UI_DEV_SETUP = 0x5501, 0x5502, 0x405C5503


class Device:
    def __init__(self, name, keys=(), pointer=False):
        self.fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, UI_SET_EVBIT, EV_KEY)
        for key in keys:
            fcntl.ioctl(self.fd, UI_SET_KEYBIT, key)
        if pointer:
            fcntl.ioctl(self.fd, UI_SET_EVBIT, EV_REL)
            fcntl.ioctl(self.fd, UI_SET_RELBIT, REL_X)
            fcntl.ioctl(self.fd, UI_SET_RELBIT, REL_Y)
        fcntl.ioctl(self.fd, UI_DEV_SETUP, struct.pack("<HHHH80sI", 3, 0x1234, 0x5678, 1, name.encode(), 0))
        fcntl.ioctl(self.fd, UI_DEV_CREATE)

    def emit(self, *events):
        for kind, code, value in (*events, (EV_SYN, 0, 0)):
            os.write(self.fd, struct.pack("<qqHHi", 0, 0, kind, code, value))

    def close(self):
        fcntl.ioctl(self.fd, UI_DEV_DESTROY)
        os.close(self.fd)


class Mouse(Device):
    def __init__(self):
        super().__init__("vitrine test mouse", [BTN_LEFT, BTN_LEFT + 1], pointer=True)

    def move(self, x, y):
        self.emit((EV_REL, REL_X, x), (EV_REL, REL_Y, y))


class Keyboard(Device):
    def __init__(self):
        super().__init__("vitrine test keyboard", range(1, 248))

    def chord(self, *names):
        for name in names:
            self.emit((EV_KEY, KEYS[name], 1))
        for name in reversed(names):
            self.emit((EV_KEY, KEYS[name], 0))
