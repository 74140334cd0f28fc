#!/usr/bin/env python3
"""`vitrine CLIENT`, in the guest: what it lets windows, keys and fingers do."""

import contextlib
import json
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
import wayland  # noqa: E402
from desk import Window, hands  # noqa: E402

CLIENT = ("sleep", "1000")  # the windows are those of further clients


@contextlib.contextmanager
def kiosk(config=""):
    with s.Session(config=config, kiosk=CLIENT) as session:
        s.wait_until(lambda: session.output()["frames_presented"], "the first frame", 60)
        yield session


def whole():
    height, width = s.photograph().shape[:2]
    return (0, 0, width, height)


@testing.test
def a_window_fills_the_output_as_long_as_it_is_there():
    with kiosk() as session:
        window = Window(session)
        window.wait_for_box(whole())
        for order in ("unfullscreen", "maximize", "unmaximize"):
            window.tell(order)
        window.tell("sync")
        window.expect("synced")
        for action in (("fullscreen",), ("maximize",), ("minimize",), ("snap", "left")):
            session.control("action", *action)
        window.tell("sync")
        window.expect("synced")
        window.wait_for_box(whole(), "the window that wanted to be smaller")
        testing.equal([(each["fullscreen"], each["minimized"]) for each in session.windows()], [(True, False)], "the window's states")
        subprocess.run(["wlr-randr", "--output", "eDP-1", "--mode", "800x600"], env=session.environment, check=True, timeout=60)
        window.wait_for_box((0, 0, 800, 600), "the window on the smaller output")


@testing.test
def a_dialog_keeps_its_size_and_is_above_its_window():
    with kiosk() as session:
        client = wayland.Client(session.environment)
        parent = wayland.Window(client, title="parent")
        wayland.Window(client, (0, 0, 0xC8), title="dialog", parent=parent)
        s.wait_until(lambda: len(session.windows()) == 2, "both windows", 60)
        _x, _y, width, height = whole()
        boxes = {window["title"]: window["box"] for window in session.windows()}
        testing.equal(boxes, {"parent": [0, 0, width, height], "dialog": [(width - 300) // 2, (height - 200) // 2, 300, 200]}, "the windows")
        s.wait_until(lambda: (s.photograph()[height // 2, width // 2 - 100] == (0, 0, 0xC8)).all(), "the dialog above its window", 60)


@testing.test
def a_window_is_told_that_it_cannot_be_minimised():
    with kiosk() as session:
        client = wayland.Client(session.environment)
        surface = client.bind("wl_compositor").create_surface()
        toplevel = client.bind("xdg_wm_base").get_xdg_surface(surface).get_toplevel()
        surface.commit()
        testing.equal(client.expect(toplevel, "wm_capabilities").capabilities, b"", "what it can ask for")


@testing.test
def keys_and_fingers_are_the_windows_alone():
    with kiosk() as session:
        testing.equal([each["name"] for each in json.loads(session.control("--json", "actions")) if each["bindings"]], [], "actions that are bound")
        with hands(session) as (_mouse, keyboard):
            window = Window(session)
            window.expect("keyboard-enter")
            keyboard.chord("logo", "q")  # which closes a window of a desktop
            window.expect("key", code=uinput.KEYS["q"], pressed=True)
            window.wait_for_box(whole())
        with contextlib.closing(uinput.TouchScreen(whole()[2:])) as screen:
            s.wait_until(lambda: session.input_devices() == 1, "the touch screen to be opened", 60)
            client = wayland.Client(session.environment)
            touch = client.bind("wl_seat").get_touch()
            above = wayland.Window(client)
            s.wait_until(lambda: len(session.windows()) == 2, "the window above", 60)
            screen.down(0, 100, 50)
            told = client.expect(touch, "down")
            testing.equal((told.surface, told.x, told.y), (above.surface, 100, 50), "surface and place of the finger")


@testing.test
def the_virtual_terminal_is_switched_only_where_that_is_allowed():
    with kiosk("[kiosk]\nvt_switch = true\n") as session:
        bound = {each["name"] for each in json.loads(session.control("--json", "actions")) if each["bindings"]}
        testing.equal(bound, {"switch-vt"}, "actions that are bound")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
