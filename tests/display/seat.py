"""Another session on the seat, through libseat as any compositor: to be switched to, and away from."""

import ctypes
import os

import session as s

Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class Listener(ctypes.Structure):
    _fields_ = [("enable_seat", Callback), ("disable_seat", Callback)]


class OtherSession:
    """Opens the seat; it is in the background until somebody switches to it. The compositor's session is number 1, this is 2."""

    def __init__(self):
        self.lib = ctypes.CDLL("libseat.so.1", use_errno=True)
        self.lib.libseat_open_seat.restype = ctypes.c_void_p
        self.active = False
        # Kept: libseat calls them as long as the seat is open.
        self.listener = Listener(Callback(self._enabled), Callback(self._disabled))
        self.seat = self.lib.libseat_open_seat(ctypes.byref(self.listener), None)
        if not self.seat:
            raise OSError(ctypes.get_errno(), "libseat_open_seat")

    def _enabled(self, _seat, _data):
        self.active = True

    def _disabled(self, seat, _data):
        self.active = False
        self.lib.libseat_disable_seat(ctypes.c_void_p(seat))

    def dispatch(self, milliseconds=50):
        self.lib.libseat_dispatch(ctypes.c_void_p(self.seat), milliseconds)

    def wait_until_active(self):
        def is_active():
            self.dispatch()
            return self.active

        s.wait_until(is_active, "the other session")

    def open_display(self, path="/dev/dri/card0"):
        """The display device, of which this session is master while it is active."""
        fd = ctypes.c_int(-1)
        if self.lib.libseat_open_device(ctypes.c_void_p(self.seat), path.encode(), ctypes.byref(fd)) < 0:
            raise OSError(ctypes.get_errno(), f"libseat_open_device {path}")
        return fd.value

    def switch_to(self, number):
        self.lib.libseat_switch_session(ctypes.c_void_p(self.seat), number)
        s.wait_until(lambda: (self.dispatch(), not self.active)[1], "the other session to end")

    def close(self):
        self.lib.libseat_close_seat(ctypes.c_void_p(self.seat))


def framebuffers():
    """The display's framebuffers, by the name of the process that made each (debugfs; root)."""
    owners = []
    for card in sorted(os.listdir("/sys/kernel/debug/dri")):
        path = f"/sys/kernel/debug/dri/{card}/framebuffer"
        if not card.isdigit() or not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            owners += [line.split("=")[1].strip() for line in file if "allocated by" in line]
    return owners
