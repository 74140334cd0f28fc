#!/usr/bin/env python3
"""X11 programs in a session, in the guest: their windows, menus, selections, and the X server behind them."""

import contextlib
import os
import re
import signal
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import Hands, lit_session  # noqa: E402

PAPER = (0x10, 0x20, 0x30)  # the background of an xterm
GEOMETRY = "40x10+100+200"  # of characters, and the place that its user chose
CONTROL = 1 << 2
CONTROL_KEY = 29


@contextlib.contextmanager
def x11_session():
    """A session whose clients have DISPLAY, with hands."""
    with lit_session("[desktop]\nxwayland = true\n") as session:
        session.environment["DISPLAY"] = re.search(r" DISPLAY=(:\d+)", session.compositor.log())[1]
        yield session, Hands(session)


def xterm(session, *command, geometry=GEOMETRY, name="xterm"):
    return session.start(name, "xterm", "-geometry", geometry, "-fa", "DejaVu Sans Mono", "-fs", "10", "-bg", "#102030", "-fg", "#ffffff",
                         "-title", name, "-e", *(command or ("sleep", "1000")))


def await_titles(session, *titles):
    """Waits until these windows are there and drawn, in the order of their focus; they are returned."""
    def look():
        windows = session.windows()
        return [windows] if [window["title"] for window in windows] == list(titles) and all(window["surfaces"] for window in windows) else None

    try:
        return s.wait_until(look, f"the windows {titles}", 120)[0]
    except TimeoutError:
        raise AssertionError(f"the windows are {[window['title'] for window in session.windows()]}, not {list(titles)}") from None


def paper(picture, box):
    """The part of a box that has the colour of an xterm's background."""
    return float((s.crop(picture, box) == PAPER).all(axis=2).mean())


def await_paper(box):
    s.wait_until(lambda: paper(s.photograph(), box) > 0.9, f"an xterm that fills {box}", 60)


def x_servers(count):
    """Their processes, once there are so many: those of an earlier session need a moment to end. wlroots gives them to init."""
    def look():
        found = subprocess.run(["pgrep", "--exact", "Xwayland"], capture_output=True, text=True, check=False).stdout.split()
        return [[int(pid) for pid in found]] if len(found) == count else None

    return s.wait_until(look, f"{count} X servers", 60)[0]


@testing.test
def an_x11_program_has_a_window_beside_a_protected_video():
    with x11_session() as (session, hands):
        x_servers(0)  # before there is a program for one
        player = s.video_on_panel(session, s.make_clip(size="320x180"))
        terminal = xterm(session, "sh", "-c", "read line; echo $line >/tmp/typed", geometry="40x10+10+520")
        _video, window = s.wait_until(lambda: session.windows() if len(session.windows()) == 2 else None, "both windows", 120)
        testing.equal([window[key] for key in ("title", "app_id", "focused")], ["xterm", "XTerm", True], "xterm's window")
        testing.equal(window["box"][:2], [10, 520], "the place of xterm's window")
        await_paper(window["box"])
        panel, screenshot = s.photograph(), session.screenshot()
        s.save_png("x11-beside-video.png", panel)
        testing.equal(paper(screenshot, window["box"]) > 0.9, True, "whether a screenshot has xterm")
        testing.equal(session.output()["protected_surfaces"][-1]["path"], "plane", "path of the video")
        testing.equal(s.only_placeholder(s.crop(screenshot, s.find_box(panel, screenshot))), True, "whether a screenshot has the placeholder for the video")
        for key in ("s", "e", "a", "enter"):
            hands.key(key)
        testing.equal(terminal.wait(), 0, f"status of xterm: {terminal.log()}")
        with open("/tmp/typed", encoding="utf-8") as file:
            testing.equal(file.read(), "sea\n", "what xterm was typed")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_menu_of_an_x11_program_opens_at_the_pointer_and_leaves_the_focus_alone():
    with x11_session() as (session, hands):
        xterm(session)
        (window,) = await_titles(session, "xterm")
        await_paper(window["box"])
        session.control("action", "snap", "right")  # the X server has to know where that is
        s.wait_until(lambda: session.windows()[0]["box"][0] == hands.size[0] // 2, "the snapped xterm", 60)
        await_paper(session.windows()[0]["box"])
        x, y = hands.size[0] * 3 // 4, hands.size[1] // 2
        hands.to(x, y)
        before = s.photograph()
        hands.keyboard.key(hands.tick(), CONTROL_KEY, 1)
        hands.keyboard.modifiers(CONTROL, 0, 0, 0)
        hands.button(True)
        line = (x - 60, y - 4, 50, 8)  # of the menu, beside the pointer: the chosen one is white
        s.wait_until(lambda: (s.crop(s.photograph(), line) == 255).mean() > 0.4, "xterm's menu", 60)
        s.save_png("x11-menu.png", s.photograph())
        testing.equal([(each["title"], each["focused"]) for each in session.windows()], [("xterm", True)], "the windows")
        hands.keyboard.key(hands.tick(), CONTROL_KEY, 0)
        hands.keyboard.modifiers(0, 0, 0, 0)
        hands.to(10, 10)
        hands.button(False)
        hands.to(x, y)
        s.wait_until(lambda: (s.photograph() == before).mean() > 0.99, "xterm without its menu", 60)
        session.control("action", "close")
        await_titles(session)


@testing.test
def an_x11_window_fills_the_output_and_comes_back():
    with x11_session() as (session, hands):
        terminal = xterm(session)
        (window,) = await_titles(session, "xterm")
        whole = [0, 0, *hands.size]
        for action, state in (("maximize", "maximized"), ("fullscreen", "fullscreen")):
            session.control("action", action)
            await_paper(whole)
            (filled,) = session.windows()
            testing.equal((filled["box"], filled[state]), (whole, True), f"xterm, {state}")
            session.control("action", action)
            s.wait_until(lambda: session.windows()[0]["box"] == window["box"], f"xterm as it was before it was {state}", 60)
            await_paper(window["box"])
        session.control("action", "minimize")
        s.wait_until(lambda: not (s.photograph() == PAPER).all(axis=2).any(), "the desktop without xterm", 60)
        session.control("action", "focus-next")
        await_paper(window["box"])
        session.control("action", "close")
        testing.equal(terminal.wait() in (0, 1), True, f"whether xterm has ended: {terminal.log()}")


# Says before it is mapped that it is to cover the output (EWMH, _NET_WM_STATE), which xterm does afterwards.
FULLSCREEN_FROM_THE_START = """
import ctypes, time
x = ctypes.CDLL("libX11.so.6")
for call in (x.XOpenDisplay, x.XDefaultRootWindow, x.XCreateSimpleWindow, x.XInternAtom):
    call.restype = ctypes.c_ulong
display = ctypes.c_void_p(x.XOpenDisplay(None))
root = ctypes.c_ulong(x.XDefaultRootWindow(display))
window = ctypes.c_ulong(x.XCreateSimpleWindow(display, root, 0, 0, 300, 200, 0, ctypes.c_ulong(0), ctypes.c_ulong(0x102030)))
state, atom, fullscreen = (ctypes.c_ulong(x.XInternAtom(display, name, 0)) for name in (b"_NET_WM_STATE", b"ATOM", b"_NET_WM_STATE_FULLSCREEN"))
x.XStoreName(display, window, b"fullscreen")
x.XChangeProperty(display, window, state, atom, 32, 0, ctypes.byref(fullscreen), 1)
x.XMapWindow(display, window)
x.XFlush(display)
time.sleep(1000)
"""


@testing.test
def an_x11_window_may_cover_the_output_from_the_start():
    with x11_session() as (session, hands):
        session.start("fullscreen", sys.executable, "-c", FULLSCREEN_FROM_THE_START)
        await_titles(session, "fullscreen")
        s.wait_until(lambda: session.windows()[0]["fullscreen"], "the window to be fullscreen", 60)
        await_paper([0, 0, *hands.size])


@testing.test
def text_is_copied_between_x11_and_wayland_programs():
    with x11_session() as (session, _hands):
        xterm(session)  # a program has to have the focus to set the selection
        await_titles(session, "xterm")

        def said(*command):  # with no selection, both say so by their status
            return subprocess.run(command, env=session.environment, check=False, capture_output=True, text=True, timeout=60).stdout

        subprocess.run(["xclip", "-selection", "clipboard"], env=session.environment, input="from X11", check=True, text=True, timeout=60,
                       stdout=subprocess.DEVNULL)  # goes on in the background
        s.wait_until(lambda: said("wl-paste", "--no-newline") == "from X11", "the text of xclip", 60)
        subprocess.run(["wl-copy", "from Wayland"], env=session.environment, check=True, timeout=60)
        s.wait_until(lambda: said("xclip", "-selection", "clipboard", "-o") == "from Wayland", "the text of wl-copy", 60)


@testing.test
def an_x_server_that_is_killed_takes_its_windows_along_and_nothing_else():
    with x11_session() as (session, hands):
        client = wayland.Client(session.environment)
        window = wayland.Window(client)
        xterm(session)
        s.wait_until(lambda: len(session.windows()) == 2, "both windows", 120)
        (server,) = x_servers(1)
        os.kill(server, signal.SIGKILL)
        s.wait_until(lambda: len(session.windows()) == 1, "the window that is not of X11", 60)
        testing.equal(session.windows()[0]["focused"], True, "whether that has the keyboard")
        window.toplevel.destroy()
        client.roundtrip()
        client.close()
        terminal = xterm(session, "sh", "-c", "read line", name="second")
        await_titles(session, "second")
        subprocess.run(["wl-copy", "copied"], env=session.environment, check=True, timeout=60)
        pasted = ["xclip", "-selection", "clipboard", "-o"]
        s.wait_until(lambda: subprocess.run(pasted, env=session.environment, capture_output=True, check=False, timeout=60).stdout == b"copied",
                     "the text of wl-copy at the next X server", 60)
        hands.key("enter")
        testing.equal(terminal.wait(), 0, "status of an xterm at the next X server")


@testing.test
def only_the_x_server_sees_its_protocol_and_there_is_none_by_default():
    with x11_session() as (session, _hands):
        testing.equal("xwayland_shell_v1" in wayland.Client(session.environment).globals, False, "whether a client sees xwayland_shell_v1")
    with lit_session() as session:
        session.control("action", "run", "env > /tmp/environment; mv /tmp/environment /tmp/environment-of-client")
        s.wait_until(lambda: os.path.exists("/tmp/environment-of-client"), "the client's environment", 60)
        with open("/tmp/environment-of-client", encoding="utf-8") as file:
            testing.equal([line for line in file if line.startswith("DISPLAY=")], [], "DISPLAY of clients")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
