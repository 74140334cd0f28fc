"""A session with real input devices, windows that tell what they are told, and where they are on the panel."""

import contextlib
import json
import subprocess

import numpy as np

import session as s
import uinput
from hands import lit_session

RED, BLUE, GREEN, YELLOW = (0xC8, 0, 0), (0, 0, 0xC8), (0, 0xC8, 0), (0xC8, 0xC8, 0)
WIDTH, HEIGHT = 300, 200  # of the windows
CURSOR_PIXELS = 32 * 32  # more than the pointer's image hides
STEP = 24  # from one new window to the next: compositor/shell/desktop.cpp
PATIENCE = 60  # seconds
TOLERANCE = 2.0  # of 255


def number(colour):
    return "0x%02x%02x%02x" % colour


class Window:
    """A shell-client: `tell` it what to do, `expect` what it is told."""

    def __init__(self, session, colour=RED, popups=GREEN, *arguments, name="window"):
        self.client = session.start(name, "shell-client", "--color", number(colour), "--popup-color", number(popups), "--size",
                                    f"{WIDTH}x{HEIGHT}", *arguments, stdin=subprocess.PIPE)
        self.colour = colour
        self.seen = 0  # of the events

    def tell(self, *words):
        self.client.process.stdin.write((" ".join(str(word) for word in words) + "\n").encode())
        self.client.process.stdin.flush()

    def events(self):
        lines = self.client.log().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def find(self, event, how):
        for index, told in enumerate(self.events()[self.seen :]):
            if told["event"] == event and all(told[key] == value for key, value in how.items()):
                self.seen += index + 1
                return told
        return None

    def expect(self, event, **how):
        """The next such event; those before it are done with."""
        try:
            return s.wait_until(lambda: self.find(event, how), event, PATIENCE)
        except TimeoutError:
            raise AssertionError(f"no {event} {how}, but {self.events()[self.seen :]} {self.client.log()[-300:]}") from None

    def told_meanwhile(self, *kinds):
        """The events of these kinds that it was sent since the last that was expected, as of now."""
        first = self.seen
        self.tell("sync")
        self.expect("synced")
        return [event for event in self.events()[first : self.seen] if event["event"] in kinds]

    def wait_for_box(self, box, what="the window on the panel", see=s.photograph):
        wait_for_box(self.colour, box, what, see)


def box_of(colour, see=s.photograph):
    """The box that there is in this colour: None where there is none, or something covers more of it than a pointer does."""
    mask = (see() == colour).all(axis=2)
    rows, columns = np.nonzero(mask)
    if rows.size == 0:
        return None
    box = (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    return box if rows.size >= box[2] * box[3] - CURSOR_PIXELS else None


def wait_for_box(colour, box, what, see=s.photograph):
    try:
        s.wait_until(lambda: box_of(colour, see) == box, what, PATIENCE)
    except TimeoutError:
        s.save_png("seen.png", see())
        raise AssertionError(f"{what} is {box_of(colour, see)}, not {box}") from None


def new_box(index=0):
    """Where the session's window of this number is put."""
    height, width = s.photograph().shape[:2]
    return ((width - WIDTH) // 2 + STEP * index, (height - HEIGHT) // 2 + STEP * index, WIDTH, HEIGHT)


@contextlib.contextmanager
def desk():
    """A session with a mouse and a keyboard."""
    with lit_session() as session:
        with hands(session) as (mouse, keyboard):
            yield session, mouse, keyboard


@contextlib.contextmanager
def hands(session):
    height, width = s.photograph().shape[:2]
    before = session.input_devices()
    mouse, keyboard = uinput.PlacedMouse((width, height)), uinput.Keyboard()
    try:
        s.wait_until(lambda: session.input_devices() >= before + 2, "mouse and keyboard to be opened", PATIENCE)
        yield mouse, keyboard
    finally:
        mouse.close()
        keyboard.close()


def click(mouse, x, y):
    mouse.to(x, y)
    mouse.press()
    mouse.release()


def drag(session, window, mouse, begin, end, *order):
    """From one point to another, with the button held and `order` given on the press."""
    mouse.to(*begin)
    mouse.press()
    window.expect("button", pressed=True)
    window.tell(*order)
    window.told_meanwhile()  # until the compositor has got the order
    mouse.to((begin[0] + end[0]) // 2, (begin[1] + end[1]) // 2)
    mouse.to(*end)


def local(box, point):
    return {"x": point[0] - box[0], "y": point[1] - box[1]}


def open_popup(window, mouse, at, *popup):
    """A click there, and on it the popup; where it is configured to be."""
    mouse.to(*at)
    mouse.press()
    window.expect("button", pressed=True)
    window.tell("popup", *popup)
    mouse.release()
    told = window.expect("popup-configure")
    return (told["x"], told["y"], told["width"], told["height"])
