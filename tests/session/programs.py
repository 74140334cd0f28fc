#!/usr/bin/env python3
"""Programs of other people in a session, in the guest: each is seen on the panel, takes its input, and ends as it should."""

import contextlib
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import session as s  # noqa: E402
import testing  # noqa: E402
from hands import Hands, lit_session  # noqa: E402

BACKGROUND = (0x1F, 0x4E, 0x5F)
BAR_HEIGHT = 30
SWAYLOCK_COLOUR = (0x40, 0, 0x40)


def share(picture, colour):
    """The part of a picture that has this colour: 0 to 1."""
    return float((picture == colour).all(axis=2).mean())


def await_picture(predicate, what):
    """Waits until the panel shows what satisfies `predicate`; that picture, also left in OUT."""
    def look():
        picture = s.photograph()
        return [picture] if predicate(picture) else None

    try:
        (picture,) = s.wait_until(look, what, 60)
    except TimeoutError:
        s.save_png("seen.png", s.photograph())
        raise
    s.save_png(what.replace(" ", "-") + ".png", picture)
    return picture


def write(name, text):
    path = os.path.join(s.OUT, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def ends(client, number=None):
    """Ends a program by a signal, if it is given one, and checks that it ends by itself in any case."""
    status = client.stop(number) if number is not None else client.wait()
    testing.equal(status in (0, -15), True, f"whether {client.name} ended well (status {status}): {client.log()[-500:]}")


@contextlib.contextmanager
def message_bus(session):
    """D-Bus for the clients of a session."""
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    try:
        session.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        yield
    finally:
        bus.terminate()
        bus.wait()


@testing.test
def a_desktop_of_swaybg_waybar_mako_and_fuzzel():
    with lit_session() as session, message_bus(session):
        hands = Hands(session)
        width, height = hands.size
        Image.fromarray(np.full((height, width, 3), BACKGROUND, np.uint8)).save("/tmp/background.png")
        swaybg = session.start("swaybg", "swaybg", "--image", "/tmp/background.png", "--mode", "fill")
        await_picture(lambda panel: share(panel, BACKGROUND) > 0.99, "swaybg")
        config = write("waybar.json", """{"layer": "top", "height": %d, "modules-left": ["wlr/taskbar"], "modules-right": ["clock"],
            "wlr/taskbar": {"format": "{title}", "on-click": "minimize-raise"}}""" % BAR_HEIGHT)
        style = write("waybar.css", "* { font-family: DejaVu Sans; font-size: 13px; color: #ffffff; } window#waybar { background: #202020; }")
        waybar = session.start("waybar", "waybar", "--config", config, "--style", style)
        await_picture(lambda panel: share(panel[:BAR_HEIGHT], (0x20, 0x20, 0x20)) > 0.7, "waybar")
        terminal = session.start("terminal", "foot", "--config=/dev/null", "--override=csd.preferred=none", "--maximized",
                                 "--override=colors.background=102030", "--title=typed", "sh", "-c", "read line; echo $line >/tmp/typed")
        panel = await_picture(lambda panel: share(panel, (0x10, 0x20, 0x30)) > 0.9, "a maximised terminal below the bar")
        testing.equal(share(panel[:BAR_HEIGHT], (0x10, 0x20, 0x30)), 0.0, "part of the bar that the terminal covers")
        fuzzel = session.start("fuzzel", "fuzzel", "--dmenu", "--background=506070ff", stdin=subprocess.PIPE)
        fuzzel.process.stdin.write(b"first\nsecond\n")
        fuzzel.process.stdin.close()
        await_picture(lambda panel: share(panel, (0x50, 0x60, 0x70)) > 0.02, "fuzzel")
        for key in ("s", "e", "enter"):
            hands.key(key)
        ends(fuzzel)
        testing.equal(fuzzel.log().splitlines()[-1:], ["second"], "what fuzzel was told to choose")
        await_picture(lambda panel: share(panel, (0x50, 0x60, 0x70)) == 0, "the desktop after fuzzel")
        for key in ("a", "enter"):
            hands.key(key)
        ends(terminal)
        with open("/tmp/typed", encoding="utf-8") as file:
            testing.equal(file.read(), "a\n", "what the terminal was typed")
        mako = session.start("mako", "mako", "--background-color=#705030ff", "--width", "300", "--anchor", "bottom-right")
        name = "org.freedesktop.Notifications"
        subprocess.run(["gdbus", "wait", "--session", "--timeout", "60", name], env=session.environment, check=True)
        subprocess.run(["gdbus", "call", "--session", "--dest", name, "--object-path", "/" + name.replace(".", "/"), "--method",
                        f"{name}.Notify", "vitrine", "0", "", "A summary", "and a body", "[]", "{}", "0"],
                       env=session.environment, check=True, stdout=subprocess.DEVNULL)
        panel = await_picture(lambda panel: share(panel, (0x70, 0x50, 0x30)) > 0.01, "mako")
        rows, columns = (panel == (0x70, 0x50, 0x30)).all(axis=2).nonzero()
        testing.equal(bool(columns.min() > width // 2 and rows.min() > height // 2), True, "whether the notification is bottom right")
        hands.click(int(np.median(columns)), int(np.median(rows)))
        await_picture(lambda panel: share(panel, (0x70, 0x50, 0x30)) == 0, "the desktop after a click on the notification")
        s.save_png("desktop.png", s.photograph())
        for client in (mako, waybar, swaybg):
            ends(client, 15)
        await_picture(lambda panel: share(panel, s.DESKTOP) > 0.99, "the empty desktop")


@testing.test
def wlr_randr_and_kanshi_change_outputs_and_swayidle_sees_the_user_go():
    with lit_session() as session:
        hands = Hands(session)

        def randr(*arguments):
            return subprocess.run(["wlr-randr", *arguments], env=session.environment, check=True, capture_output=True, text=True).stdout

        testing.equal("1024x768 px" in randr() and "Enabled: yes" in randr(), True, "whether wlr-randr lists the output")
        randr("--output", "eDP-1", "--mode", "800x600")
        testing.equal(s.photograph().shape[:2], (600, 800), "size of the panel's picture")
        randr("--output", "eDP-1", "--scale", "2", "--transform", "90")
        testing.equal("Scale: 2" in randr() and "Transform: 90" in randr(), True, "whether scale and transform are listed")
        kanshi = write("kanshi", "profile {\n output eDP-1 mode 1024x768 scale 1 transform normal position 0,0\n}\n")
        client = session.start("kanshi", "kanshi", "--config", kanshi)
        s.wait_until(lambda: s.photograph().shape[:2] == (768, 1024), "kanshi's profile", 60)
        s.wait_until(lambda: "Scale: 1" in randr() and "Transform: normal" in randr(), "kanshi's scale", 60)
        ends(client, 15)
        idle = session.start("swayidle", "swayidle", "-C", "/dev/null", "timeout", "1", "echo idle >>/tmp/idle", "resume", "echo resumed >>/tmp/idle")
        s.wait_until(lambda: os.path.exists("/tmp/idle"), "swayidle to find the session idle", 60)
        hands.by(5, 5)
        s.wait_until(lambda: "resumed" in open("/tmp/idle", encoding="ascii").read(), "swayidle to find the session resumed", 60)
        ends(idle, 15)


@testing.test
def wtype_types_into_the_focused_window():
    with lit_session() as session:
        Hands(session)  # with no keyboard on the seat, a client would have none yet when the first key comes
        terminal = session.start("terminal", "foot", "--config=/dev/null", "--override=csd.preferred=none",
                                 "--override=colors.background=102030", "sh", "-c", "read line; echo $line >/tmp/typed")
        await_picture(lambda panel: share(panel, (0x10, 0x20, 0x30)) > 0.1, "a terminal")
        subprocess.run(["wtype", "Grüße, 世界", "-k", "Return"], env=session.environment, check=True, timeout=60)
        ends(terminal)
        with open("/tmp/typed", encoding="utf-8") as file:
            testing.equal(file.read(), "Grüße, 世界\n", "what the terminal was typed")


@testing.test
def swaylock_locks_and_nothing_of_the_session_is_left_when_it_dies():
    with lit_session() as session:
        hands = Hands(session)
        video = s.video_on_panel(session, s.make_clip())
        locker = ("swaylock", "--color", "400040", "--config", "/dev/null", "--inside-wrong-color", "ff2020ff")
        swaylock = session.start("swaylock", *locker)
        await_picture(lambda panel: share(panel, SWAYLOCK_COLOUR) > 0.99, "swaylock")
        testing.equal(share(session.screenshot("locked.png"), SWAYLOCK_COLOUR) > 0.99, True, "whether a screenshot shows swaylock alone")
        hands.key("a")
        hands.key("enter")
        await_picture(lambda panel: share(panel, (0xFF, 0x20, 0x20)) > 0.001, "swaylock after a wrong password")
        testing.equal(swaylock.running(), True, "whether swaylock is there after a wrong password")
        swaylock.stop(9)
        await_picture(lambda panel: share(panel, s.DESKTOP) > 0.99, "the blank panel after swaylock was killed")
        again = session.start("swaylock-again", *locker)
        await_picture(lambda panel: share(panel, SWAYLOCK_COLOUR) > 0.9, "a second swaylock")
        frames = session.output()["protected_surfaces"][-1]["frames"]
        again.process.send_signal(10)  # SIGUSR1: unlock
        ends(again)
        s.wait_until(lambda: session.output()["protected_surfaces"][-1]["frames"] > frames, "the video on the panel", 60)
        testing.equal(video.running(), True, "whether the video's player is still there")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
