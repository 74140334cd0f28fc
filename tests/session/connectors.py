"""Connectors of the board `two-outputs`, to be plugged and unplugged by vkms' configfs, and what a session makes of them."""

import contextlib

import numpy as np

import seat
import session as s
import uinput

VKMS = "/sys/kernel/config/vkms/panel"
LEFT, RIGHT = "eDP-1", "eDP-2"
CONNECTORS = {LEFT: "connector", RIGHT: "connector2"}


def plug(name, connected=True):
    """Also when nothing changes it sends a hotplug event."""
    with open(f"{VKMS}/connectors/{CONNECTORS[name]}/status", "w", encoding="ascii") as file:
        file.write("1" if connected else "2")


def unplug(name):
    plug(name, False)


@contextlib.contextmanager
def board(right=True):
    """Plugs the connectors at first, and both again at the end, for the next test."""
    plug(LEFT)
    plug(RIGHT, right)
    try:
        yield
    finally:
        plug(LEFT)
        plug(RIGHT)


def outputs(session):
    """Those that are on, by name."""
    return {output["name"]: output for output in session.status()["outputs"] if output["on"]}


def wait_for_outputs(session, *names):
    s.wait_until(lambda: sorted(outputs(session)) == sorted(names), f"{' and '.join(names) or 'no output'} to be on")
    return outputs(session)


def is_desktop(camera):
    return (s.photograph(camera) == s.DESKTOP).all()


def video_on(camera):
    """Whether this panel shows many colours, as a video does and the placeholder does not."""
    picture = s.photograph(camera)
    return len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


@contextlib.contextmanager
def switched_away(session):
    """Another session in front, until the block ends."""
    keyboard, other = uinput.Keyboard(), seat.OtherSession()
    try:
        key = f"f{other.number}"
        s.wait_until(lambda: (keyboard.chord("ctrl", "alt", key), other.dispatch(200), other.active)[2], "the switch")
        s.wait_until(lambda: "vitrine" not in seat.framebuffers(), "vitrine's framebuffers to be gone")
        yield
    finally:
        other.close()
        keyboard.close()
