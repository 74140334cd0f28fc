"""Another session on the seat, through libseat like any compositor, for switching to and from it."""

import ctypes
import os
import re

Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class Listener(ctypes.Structure):
    _fields_ = [("enable_seat", Callback), ("disable_seat", Callback)]


class OtherSession:
    """Opens the seat. The session is in the background until a switch to its number. Closing it switches back."""

    def __init__(self):
        self.lib = ctypes.CDLL("libseat.so.1", use_errno=True)
        self.lib.libseat_open_seat.restype = ctypes.c_void_p
        self.active = False
        # Kept alive, because libseat calls them as long as the seat is open.
        self.listener = Listener(Callback(self._enabled), Callback(self._disabled))
        self.seat = self.lib.libseat_open_seat(ctypes.byref(self.listener), None)
        if not self.seat:
            raise OSError(ctypes.get_errno(), "libseat_open_seat")
        self.number = newest_session()

    def _enabled(self, _seat, _data):
        self.active = True

    def _disabled(self, seat, _data):
        self.active = False
        self.lib.libseat_disable_seat(ctypes.c_void_p(seat))

    def dispatch(self, milliseconds=50):
        self.lib.libseat_dispatch(ctypes.c_void_p(self.seat), milliseconds)

    def switch_to(self, number):
        """Asks for another session; this one has to be the active one."""
        if self.lib.libseat_switch_session(ctypes.c_void_p(self.seat), number) < 0:
            raise OSError(ctypes.get_errno(), f"libseat_switch_session {number}")

    def open_display(self, path="/dev/dri/card0"):
        """The display device. This session is its DRM master while it is active."""
        fd = ctypes.c_int(-1)
        if self.lib.libseat_open_device(ctypes.c_void_p(self.seat), path.encode(), ctypes.byref(fd)) < 0:
            raise OSError(ctypes.get_errno(), f"libseat_open_device {path}")
        return fd.value

    def close(self):
        if self.seat:
            self.lib.libseat_close_seat(ctypes.c_void_p(self.seat))
        self.seat = None


def newest_session():
    """The number of seatd's newest client, counted from 0. seatd does not tell the client."""
    with open("/run/seatd.log", encoding="utf-8") as file:
        return int(re.findall(r"Added client (\d+) to seat", file.read())[-1])


def framebuffers():
    """The display's framebuffers, by the name of the process that created each (debugfs; root)."""
    owners = []
    for card in sorted(os.listdir("/sys/kernel/debug/dri")):
        path = f"/sys/kernel/debug/dri/{card}/framebuffer"
        if not card.isdigit() or not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            owners += [line.split("=")[1].strip() for line in file if "allocated by" in line]
    return owners
