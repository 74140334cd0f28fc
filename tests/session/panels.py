#!/usr/bin/env python3
"""Panels, backgrounds, launchers (wlr-layer-shell-v1) and the lock screen (ext-session-lock-v1), in the guest."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import numpy as np  # noqa: E402

import connectors  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import BLUE, GREEN, RED, Hands, Listener, await_box, is_nearly, lit_session, names, pointed_window  # noqa: E402


class Layer:
    """A layer surface of one colour, in the size that it is told."""

    def __init__(self, client, layer, colour, size=(0, 0), anchor=0, zone=0, keyboard="none"):
        self.client, self.colour = client, colour
        self.surface = client.bind("wl_compositor").create_surface()
        self.layer = client.bind("zwlr_layer_shell_v1").get_layer_surface(self.surface, None, layer, "test")
        self.layer.set_size(*size)
        self.layer.set_anchor(anchor)
        self.layer.set_exclusive_zone(zone)
        self.layer.set_keyboard_interactivity(keyboard)
        self.surface.commit()
        self.configure()

    def configure(self, **how):
        told = self.client.expect(self.layer, "configure", **how)
        self.layer.ack_configure(told.serial)
        self.client.show(self.surface, told.width, told.height, self.colour)
        self.client.roundtrip()
        return told.width, told.height



TOP_EDGE = "top|left|right"


@testing.test
def windows_fill_what_panels_leave_and_fullscreen_covers_them():
    with lit_session() as session:
        height, width = s.photograph().shape[:2]
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        panel = Layer(client, "top", GREEN, (0, 30), TOP_EDGE, 30)
        Layer(client, "background", BLUE, (0, 0), "top|bottom|left|right", -1)
        await_box(GREEN, (0, 0, width, 30), "the panel")
        window = wayland.Window(other, colour=RED)
        window.toplevel.set_maximized()
        window.await_state("maximized")
        await_box(RED, (0, 30, width, height - 30), "the maximised window")
        window.toplevel.set_fullscreen(None)
        window.await_state("fullscreen")
        await_box(RED, (0, 0, width, height), "the fullscreen window")
        dialog = wayland.Window(other, colour=(0xC8, 0xC8, 0), size=(100, 80), parent=window)
        await_box((0xC8, 0xC8, 0), ((width - 100) // 2, (height - 80) // 2, 100, 80), "the fullscreen window's dialog")
        dialog.toplevel.destroy()
        window.toplevel.unset_fullscreen()
        window.await_state("fullscreen", False)
        await_box(GREEN, (0, 0, width, 30), "the panel again")
        panel.layer.set_exclusive_zone(50)
        panel.surface.commit()
        client.roundtrip()
        window.configure(height=height - 50)
        panel.layer.destroy()
        client.roundtrip()
        window.configure(height=height)
        await_box(RED, (0, 0, width, height), "the maximised window without a panel")
        window.toplevel.set_minimized()
        other.roundtrip()
        await_box(BLUE, (0, 0, width, height), "the background")


@testing.test
def layer_surfaces_get_the_keyboard_as_they_ask():
    with lit_session() as session:
        hands = Hands(session)
        client, heard, window, middle = pointed_window(session, hands)
        panel_client = wayland.Client(session.environment)
        panel_heard = Listener(panel_client)
        plain = Layer(panel_client, "top", GREEN, (0, 30), TOP_EDGE, 30)
        hands.click(10, 10)
        panel_client.expect(panel_heard.pointer, "button", state=1)
        hands.key("a")
        testing.equal(client.expect(heard.keyboard, "key").key, hands.KEYS["a"], "key of the window, after a click on a panel")
        plain.layer.set_keyboard_interactivity("on_demand")
        plain.surface.commit()
        panel_client.roundtrip()
        hands.click(10, 10)
        testing.equal(panel_client.expect(panel_heard.keyboard, "enter").surface, plain.surface, "surface with the keyboard")
        hands.click(*middle)
        client.expect(heard.keyboard, "enter")
        launcher = Layer(panel_client, "overlay", BLUE, (200, 100), 0, 0, "exclusive")
        testing.equal(panel_client.expect(panel_heard.keyboard, "enter").surface, launcher.surface, "surface with the keyboard")
        hands.click(middle[0], middle[1] + 80)
        hands.key("a")
        panel_client.expect(panel_heard.keyboard, "key", key=hands.KEYS["a"])
        launcher.layer.destroy()
        panel_client.roundtrip()
        client.expect(heard.keyboard, "enter")


@testing.test
def a_panels_popup_stays_on_its_output():
    with lit_session() as session:
        height, width = s.photograph().shape[:2]
        client = wayland.Client(session.environment)
        panel = Layer(client, "bottom", GREEN, (0, 30), "bottom|left|right", 30)
        shell = client.bind("xdg_wm_base")
        positioner = shell.create_positioner()
        positioner.set_size(60, 40)
        positioner.set_anchor_rect(10, 0, 1, 30)
        positioner.set_anchor("bottom_right")
        positioner.set_gravity("bottom_right")
        positioner.set_constraint_adjustment("flip_y")
        surface = client.bind("wl_compositor").create_surface()
        xdg = shell.get_xdg_surface(surface)
        popup = xdg.get_popup(None, positioner)
        panel.layer.get_popup(popup)
        surface.commit()
        client.expect(popup, "configure")
        xdg.ack_configure(client.expect(xdg, "configure").serial)
        client.show(surface, 60, 40, BLUE)
        client.roundtrip()
        await_box(BLUE, (11, height - 30 - 40, 60, 40), "the popup, flipped to above the panel")


@testing.test
def wrong_layer_surfaces_get_their_errors():
    def attempt(client, *, layer="top", prepare=lambda surface: None, then=lambda layer, surface: None):
        surface = client.bind("wl_compositor").create_surface()
        prepare(surface)
        made = client.bind("zwlr_layer_shell_v1").get_layer_surface(surface, None, layer, "test")
        then(made, surface)

    def window_of(client):
        return lambda surface: client.bind("xdg_wm_base").get_xdg_surface(surface).get_toplevel()

    cases = [
        (("zwlr_layer_shell_v1", "role"), lambda client: {"prepare": window_of(client)}),
        (("zwlr_layer_shell_v1", "invalid_layer"), lambda client: {"layer": 9}),
        (("zwlr_layer_surface_v1", "invalid_anchor"), lambda client: {"then": lambda layer, _: layer.set_anchor(1 << 9)}),
        (("zwlr_layer_surface_v1", "invalid_keyboard_interactivity"),
         lambda client: {"then": lambda layer, _: layer.set_keyboard_interactivity(7)}),
        (("zwlr_layer_surface_v1", "invalid_size"), lambda client: {"then": lambda _, surface: surface.commit()}),
        (("zwlr_layer_surface_v1", "invalid_surface_state"), lambda client: {"then": lambda layer, _: layer.ack_configure(12345)}),
        # For these two wlroots 0.18 sends the numbers of zwlr_layer_shell_v1's invalid_layer and already_constructed.
        (("zwlr_layer_surface_v1", "invalid_size"), lambda client: {"then": lambda layer, _: layer.set_layer(9)}),
        (("zwlr_layer_surface_v1", "invalid_anchor"), lambda client: {"then": lambda _, surface: client.show(surface, 8, 8, RED)}),
    ]
    with lit_session() as session:
        for error, how in cases:
            client = wayland.Client(session.environment)
            testing.equal(client.error_of(lambda: attempt(client, **how(client))), error, "error")


@testing.test
def layer_surfaces_close_with_their_output_and_new_ones_wait_for_none():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        panel = Layer(client, "top", GREEN, (0, 30), TOP_EDGE, 30)
        try:
            connectors.unplug(connectors.LEFT)
            client.expect(panel.layer, "closed")
            late = client.bind("zwlr_layer_shell_v1").get_layer_surface(client.bind("wl_compositor").create_surface(), None, "top", "test")
            client.expect(late, "closed")
        finally:
            connectors.plug(connectors.LEFT)
        connectors.wait_for_outputs(session, connectors.LEFT)
        Layer(wayland.Client(session.environment), "top", BLUE, (0, 30), TOP_EDGE, 30)
        await_box(BLUE, (0, 0, s.photograph().shape[1], 30), "the panel on the output that is back")


class Locker:
    """A lock screen of one colour on the first output."""

    def __init__(self, client, colour=GREEN):
        self.client = client
        self.lock = client.bind("ext_session_lock_manager_v1").lock()
        self.surface = client.bind("wl_compositor").create_surface()
        self.shown = self.lock.get_lock_surface(self.surface, client.bind("wl_output"))
        told = client.expect(self.shown, "configure")
        self.shown.ack_configure(told.serial)
        client.show(self.surface, told.width, told.height, colour)
        client.expect(self.lock, "locked")


@testing.test
def a_locked_session_shows_nothing_and_obeys_only_its_locker():
    with lit_session() as session:
        height, width = s.photograph().shape[:2]
        hands = Hands(session)
        client, heard, window, middle = pointed_window(session, hands)
        panel = Layer(client, "overlay", BLUE, (0, 30), TOP_EDGE, 30)
        await_box(BLUE, (0, 0, width, 30), "the panel")
        hands.button(True)  # and held: its implicit grab must not survive the lock
        locking = wayland.Client(session.environment)
        locker_heard = Listener(locking)
        locker = Locker(locking)
        await_box(GREEN, (0, 0, width, height), "the lock screen")
        testing.equal(is_nearly(session.screenshot(), GREEN), True, "whether a capture shows the lock screen alone")
        testing.equal(locking.expect(locker_heard.keyboard, "enter").surface, locker.surface, "surface with the keyboard")
        client.expect(heard.keyboard, "leave")
        client.expect(heard.pointer, "leave")
        hands.button(False)
        hands.by(1, 1)
        locking.expect(locker_heard.pointer, "enter")
        hands.key("f", logo=True)
        locking.expect(locker_heard.keyboard, "key", key=hands.KEYS["f"])
        client.roundtrip()
        got = [name for name in names(heard.pointer) + names(heard.keyboard) if name in ("enter", "motion", "button", "key")]
        testing.equal(got, [], "input that the session got")
        late = wayland.Window(wayland.Client(session.environment), colour=(0xC8, 0xC8, 0))
        testing.equal(is_nearly(s.photograph(), GREEN), True, "whether a window that came later is hidden")
        refused = wayland.Client(session.environment)
        second = refused.bind("ext_session_lock_manager_v1").lock()
        refused.expect(second, "finished")
        early = lambda: locker.lock.destroy()  # noqa: E731
        testing.equal(locking.error_of(early), ("ext_session_lock_v1", "invalid_destroy"), "error")
        # That was the end of the locker, and not of the lock.
        await_box(GREEN, None, "the dead locker's surface")
        testing.equal(is_nearly(s.photograph(), s.DESKTOP), True, "whether a session whose locker died is blank")
        third = wayland.Client(session.environment)
        locker = Locker(third)
        locker.lock.unlock_and_destroy()
        third.roundtrip()
        await_box(BLUE, (0, 0, width, 30), "the panel after the unlock")
        late.await_state("activated")


@testing.test
def a_panel_that_is_switched_on_under_the_lock_screen_shows_nothing_from_before():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        wayland.Window(client, colour=RED)
        s.wait_until(lambda: (s.photograph() == RED).all(axis=2).any(), "the window", 60)
        power = client.bind("zwlr_output_power_manager_v1").get_output_power(client.bind("wl_output"))
        client.expect(power, "mode", mode=1)
        power.set_mode("off")
        client.expect(power, "mode", mode=0)
        testing.equal(session.output()["on"], False, "whether the output is on")
        locking = wayland.Client(session.environment)
        lock = locking.bind("ext_session_lock_manager_v1").lock()
        locking.expect(lock, "locked")  # no output is lit: none is waited for
        session.fail("frames_to_fail", 1000)  # no frame follows the modeset, which shows what there is
        power.set_mode("on")
        client.expect(power, "mode", mode=1)
        seen = s.photograph()
        session.fail("frames_to_fail", 0)
        testing.equal(bool((seen == RED).all(axis=2).any()), False, "whether the panel shows the window from before the lock")
        s.wait_until(lambda: (s.photograph() == s.DESKTOP).all(), "the blank panel", 60)
        lock.unlock_and_destroy()
        locking.roundtrip()


@testing.test
def wrong_lock_requests_get_their_errors():
    with lit_session() as session:
        def locking():
            client = wayland.Client(session.environment)
            return client, client.bind("ext_session_lock_manager_v1").lock(), client.bind("wl_compositor").create_surface()

        client, lock, surface = locking()
        client.bind("xdg_wm_base").get_xdg_surface(surface).get_toplevel()
        attempt = lambda: lock.get_lock_surface(surface, client.bind("wl_output"))  # noqa: E731
        testing.equal(client.error_of(attempt), ("ext_session_lock_v1", "role"), "error")
        client, lock, surface = locking()
        twice = lambda: [lock.get_lock_surface(client.bind("wl_compositor").create_surface(), client.bind("wl_output"))  # noqa: E731
                         for _ in "12"]
        testing.equal(client.error_of(twice), ("ext_session_lock_v1", "duplicate_output"), "error")
        client, lock, surface = locking()
        client.show(surface, 8, 8, RED)
        testing.equal(client.error_of(attempt), ("ext_session_lock_v1", "already_constructed"), "error")
        client, lock, surface = locking()
        shown = lock.get_lock_surface(surface, client.bind("wl_output"))
        early = lambda: client.show(surface, 8, 8, RED)  # noqa: E731
        testing.equal(client.error_of(early), ("ext_session_lock_surface_v1", "commit_before_first_ack"), "error")
        client, lock, surface = locking()
        shown = lock.get_lock_surface(surface, client.bind("wl_output"))
        serial = client.expect(shown, "configure").serial
        shown.ack_configure(serial)
        testing.equal(client.error_of(early), ("ext_session_lock_surface_v1", "dimensions_mismatch"), "error")
        client, lock, surface = locking()
        shown = lock.get_lock_surface(surface, client.bind("wl_output"))
        wrong = lambda: shown.ack_configure(12345)  # noqa: E731
        testing.equal(client.error_of(wrong), ("ext_session_lock_surface_v1", "invalid_serial"), "error")
        client = wayland.Client(session.environment)
        locker = Locker(client)
        locker.lock.unlock_and_destroy()
        client.roundtrip()


@testing.test
def no_plane_shows_protected_video_under_the_lock_screen():
    with lit_session() as session:
        s.video_on_panel(session, s.make_clip())
        before = session.output()["protected_surfaces"][-1]
        testing.equal(before["path"], "plane", "path of the video")
        client = wayland.Client(session.environment)
        locker = Locker(client)  # `locked`: nothing of the session is shown any more
        shown = {tuple(int(part) for part in pixel) for pixel in np.unique(s.photograph().reshape(-1, 3), axis=0)}
        testing.equal(shown - {GREEN, s.DESKTOP}, set(), "colours on the panel that are not the lock screen's")
        await_box(GREEN, (0, 0, *s.photograph().shape[1::-1]), "the lock screen")
        frames = session.output()["protected_surfaces"][-1]["frames"]
        for _ in range(3):  # the video's client goes on committing
            locker.client.show(locker.surface, *s.photograph().shape[1::-1], GREEN)
            client.roundtrip()
        testing.equal(session.output()["protected_surfaces"][-1]["frames"], frames, "frames with the video in them")
        locker.lock.unlock_and_destroy()
        client.roundtrip()
        await_box(GREEN, None, "the lock screen after the unlock")
        s.wait_until(lambda: session.output()["protected_surfaces"][-1]["frames"] > frames, "the video on the panel", 60)


if __name__ == "__main__":
    testing.main(sys.argv[1:])
