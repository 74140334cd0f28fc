"""What several test modules do in a session: a lit panel, virtual hands, ears, and looks at the panel."""

import contextlib
import os
import struct

import session as s
import wayland

GREEN, BLUE, RED = (0, 0xC8, 0), (0, 0, 0xC8), (0xC8, 0, 0)


@contextlib.contextmanager
def lit_session(config="", **how):
    """A session whose panel shows something: before that, there is nothing to photograph."""
    with s.Session(config=config, **how) as session:
        s.wait_until(lambda: session.output()["frames_presented"], "the first frame", 60)
        yield session


def give_gamma(control, size, change):
    """A table whose output is `change` of the input, 0 to 0xffff."""
    ramp = [change(step * 0xFFFF // (size - 1)) for step in range(size)]
    fd = os.memfd_create("gamma")
    os.pwrite(fd, struct.pack(f"={3 * size}H", *(3 * ramp)), 0)
    control.set_gamma(fd)
    os.close(fd)


class Hands:
    """A virtual pointer and keyboard, as a remote desktop has them."""

    KEYMAP = """xkb_keymap { xkb_keycodes { include "evdev" }; xkb_types { include "complete" };
        xkb_compatibility { include "complete" }; xkb_symbols { include "pc+us+inet(evdev)" }; };\0"""
    LEFT = 0x110
    LOGO = 1 << 6
    KEYS = {"esc": 1, "tab": 15, "e": 18, "enter": 28, "s": 31, "f": 33, "m": 50, "a": 30, "logo": 125}

    def __init__(self, session):
        self.client = client = wayland.Client(session.environment)
        self.seat = client.bind("wl_seat")
        self.pointer = client.bind("zwlr_virtual_pointer_manager_v1").create_virtual_pointer(None)
        self.keyboard = client.bind("zwp_virtual_keyboard_manager_v1").create_virtual_keyboard(self.seat)
        fd = os.memfd_create("keymap")
        os.write(fd, self.KEYMAP.encode())
        self.keyboard.keymap(1, fd, len(self.KEYMAP))
        os.close(fd)
        self.time = 0
        self.size = s.photograph().shape[1::-1]
        client.roundtrip()

    def tick(self):
        self.time += 10
        return self.time

    def to(self, x, y):
        self.pointer.motion_absolute(self.tick(), x, y, *self.size)
        self.pointer.frame()
        self.client.roundtrip()

    def by(self, x, y):
        self.pointer.motion(self.tick(), x, y)
        self.pointer.frame()
        self.client.roundtrip()

    def button(self, pressed):
        self.pointer.button(self.tick(), self.LEFT, "pressed" if pressed else "released")
        self.pointer.frame()
        self.client.roundtrip()

    def click(self, x, y):
        self.to(x, y)
        self.button(True)
        self.button(False)

    def key(self, name, logo=False):
        if logo:
            self.keyboard.key(self.tick(), self.KEYS["logo"], 1)
            self.keyboard.modifiers(self.LOGO, 0, 0, 0)
        self.keyboard.key(self.tick(), self.KEYS[name], 1)
        self.keyboard.key(self.tick(), self.KEYS[name], 0)
        if logo:
            self.keyboard.key(self.tick(), self.KEYS["logo"], 0)
            self.keyboard.modifiers(0, 0, 0, 0)
        self.client.roundtrip()


class Listener:
    """What a client hears of the seat."""

    def __init__(self, client):
        self.client = client
        self.seat = client.bind("wl_seat")
        self.pointer, self.keyboard = self.seat.get_pointer(), self.seat.get_keyboard()
        client.roundtrip()


def names(target):
    return [event.name for event in target.events]


def pointed_window(session, hands):
    """A window in the middle with pointer and keyboard focus: its client, what that hears, the window, where its middle is."""
    client = wayland.Client(session.environment)
    heard = Listener(client)
    window = wayland.Window(client)
    middle = (hands.size[0] // 2, hands.size[1] // 2)
    hands.to(*middle)
    client.expect(heard.pointer, "enter")
    client.expect(heard.keyboard, "enter")
    return client, heard, window, middle


def recorded_desk(session):
    """What a recorder is tested with: a pointer in the corner, the recorder's client, another client and its green window."""
    hands = Hands(session)
    hands.to(5, 5)
    client, drawer = wayland.Client(session.environment), wayland.Client(session.environment)
    window = wayland.Window(drawer, colour=GREEN)
    s.wait_until(lambda: (s.photograph() == GREEN).all(axis=2).any(), "the window on the panel")
    return hands, client, drawer, window


def await_box(colour, box, what):
    """Waits until this colour fills this box of the panel, and is nowhere else; None: until it is nowhere."""

    def seen():
        ys, xs = (s.photograph() == colour).all(axis=2).nonzero()
        if not len(ys):
            return None
        return (int(xs.min()), int(ys.min()), int(xs.max() - xs.min()) + 1, int(ys.max() - ys.min()) + 1)

    try:
        s.wait_until(lambda: seen() == box, what, 60)
    except TimeoutError:
        raise AssertionError(f"{what}: {seen()}, not {box}") from None


def is_nearly(picture, colour):
    """Whether a picture is of one colour, but for the pointer's image."""
    return bool((picture != colour).any(axis=2).sum() <= 32 * 32)
