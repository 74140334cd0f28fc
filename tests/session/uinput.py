"""A mouse with a keyboard, made of uinput: real input devices, through the kernel, udev and libinput."""

import fcntl
import os
import struct
import time

EV_SYN, EV_KEY, EV_REL, EV_ABS = 0, 1, 2, 3
REL_X, REL_Y, REL_WHEEL, ABS_X, ABS_Y = 0, 1, 8, 0, 1
ABS_MT_SLOT, ABS_MT_POSITION_X, ABS_MT_POSITION_Y, ABS_MT_TRACKING_ID = 0x2F, 0x35, 0x36, 0x39
BTN_TOUCH, INPUT_PROP_DIRECT = 0x14A, 1
BTN_LEFT = 0x110
FASTEST_FINGER = 0.04  # seconds: what comes faster, libinput takes for a bouncing contact
KEYS = {"logo": 125, "tab": 15, "q": 16, "f": 33, "m": 50, "a": 30, "ctrl": 29, "alt": 56, "capslock": 58, "shift": 42, "n": 49, "y": 21, "left": 105, "right": 106, "down": 108, **{f"f{n}": 58 + n for n in range(1, 11)}}

UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_RELBIT, UI_SET_ABSBIT = 0x40045564, 0x40045565, 0x40045566, 0x40045567
UI_SET_PROPBIT = 0x4004556E
UI_DEV_CREATE, UI_DEV_DESTROY, UI_DEV_SETUP, UI_ABS_SETUP = 0x5501, 0x5502, 0x405C5503, 0x401C5504


class Device:
    def __init__(self, name, keys=(), pointer=False, extent=None, wheel=False, touch=None):
        self.fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, UI_SET_EVBIT, EV_KEY)
        for key in keys:
            fcntl.ioctl(self.fd, UI_SET_KEYBIT, key)
        if pointer:
            fcntl.ioctl(self.fd, UI_SET_EVBIT, EV_REL)
            fcntl.ioctl(self.fd, UI_SET_RELBIT, REL_X)
            fcntl.ioctl(self.fd, UI_SET_RELBIT, REL_Y)
        if wheel:
            fcntl.ioctl(self.fd, UI_SET_RELBIT, REL_WHEEL)
        axes = dict(zip((ABS_X, ABS_Y), extent or ()))
        if touch:
            fcntl.ioctl(self.fd, UI_SET_PROPBIT, INPUT_PROP_DIRECT)
            axes = dict(zip((ABS_X, ABS_Y, ABS_MT_POSITION_X, ABS_MT_POSITION_Y, ABS_MT_SLOT, ABS_MT_TRACKING_ID), (*touch, *touch, 10, 65536)))
        if axes:
            fcntl.ioctl(self.fd, UI_SET_EVBIT, EV_ABS)
        for axis, length in axes.items():
            fcntl.ioctl(self.fd, UI_SET_ABSBIT, axis)
            fcntl.ioctl(self.fd, UI_ABS_SETUP, struct.pack("<HxxiiiiiI", axis, 0, 0, length - 1, 0, 0, 0))
        fcntl.ioctl(self.fd, UI_DEV_SETUP, struct.pack("<HHHH80sI", 3, 0x1234, 0x5678, 1, name.encode(), 0))
        fcntl.ioctl(self.fd, UI_DEV_CREATE)

    def emit(self, *events):
        for kind, code, value in (*events, (EV_SYN, 0, 0)):
            os.write(self.fd, struct.pack("<qqHHi", 0, 0, kind, code, value))

    def close(self):
        if self.fd is not None:
            self.unplug()

    def unplug(self):
        fcntl.ioctl(self.fd, UI_DEV_DESTROY)
        os.close(self.fd)
        self.fd = None


class Mouse(Device):
    def __init__(self):
        super().__init__("vitrine test mouse", [BTN_LEFT, BTN_LEFT + 1], pointer=True)

    def move(self, x, y):
        self.emit((EV_REL, REL_X, x), (EV_REL, REL_Y, y))


class PlacedMouse(Device):
    """A mouse that says where it is, in pixels of the one output, as a virtual machine's does: nothing accelerates it."""

    def __init__(self, extent):
        # Three buttons: with two, libinput holds a press back until it knows that it is not to be the middle one.
        super().__init__("vitrine test placed mouse", range(BTN_LEFT, BTN_LEFT + 3), extent=extent)
        self.extent = extent
        self.last_button = 0.0

    def plug_in(self):
        """Once more, after unplug()."""
        self.__init__(self.extent)

    def to(self, x, y):
        self.emit((EV_ABS, ABS_X, x), (EV_ABS, ABS_Y, y))

    def press(self):
        self._button(1)

    def release(self):
        self._button(0)

    def _button(self, value):
        time.sleep(max(0.0, self.last_button + FASTEST_FINGER - time.monotonic()))
        self.emit((EV_KEY, BTN_LEFT, value))
        self.last_button = time.monotonic()


class Keyboard(Device):
    def __init__(self):
        super().__init__("vitrine test keyboard", range(1, 248))

    def press(self, name):
        self.emit((EV_KEY, KEYS[name], 1))

    def release(self, name):
        self.emit((EV_KEY, KEYS[name], 0))

    def chord(self, *names):
        for name in names:
            self.emit((EV_KEY, KEYS[name], 1))
        for name in reversed(names):
            self.emit((EV_KEY, KEYS[name], 0))


class Wheel(Device):
    """A mouse of which only the wheel is used."""

    def __init__(self):
        super().__init__("vitrine test wheel", range(BTN_LEFT, BTN_LEFT + 3), pointer=True, wheel=True)

    def scroll(self, clicks):
        """Away from the user."""
        self.emit((EV_REL, REL_WHEEL, clicks))


class TouchScreen(Device):
    """A touch screen of several fingers, in pixels of the one output."""

    def __init__(self, extent):
        super().__init__("vitrine test touch screen", [BTN_TOUCH], touch=extent)
        self.next_tracking = 1

    def down(self, finger, x, y):
        self.emit((EV_ABS, ABS_MT_SLOT, finger), (EV_ABS, ABS_MT_TRACKING_ID, self.next_tracking), *self._place(x, y), (EV_KEY, BTN_TOUCH, 1))
        self.next_tracking += 1

    def move(self, finger, x, y):
        self.emit((EV_ABS, ABS_MT_SLOT, finger), *self._place(x, y))

    def up(self, finger):
        self.emit((EV_ABS, ABS_MT_SLOT, finger), (EV_ABS, ABS_MT_TRACKING_ID, -1))

    @staticmethod
    def _place(x, y):
        return (EV_ABS, ABS_MT_POSITION_X, x), (EV_ABS, ABS_MT_POSITION_Y, y)
