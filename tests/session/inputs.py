#!/usr/bin/env python3
"""Devices that come and go, keyboards of any layout, touch, drag and drop, in the guest: real input devices, and clients by hand."""

import contextlib
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
import wire  # noqa: E402
from desk import BLUE, HEIGHT, PATIENCE, RED, WIDTH, Window, desk, hands, local, new_box, open_popup  # noqa: E402
from hands import lit_session  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


class WireWindow(wire.Connection):
    """A client by hand: a window of one colour, and the events that it is to keep."""

    def __init__(self, session, colour, keep=(), initially=lambda window: None):
        os.environ["WAYLAND_DISPLAY"] = session.environment["WAYLAND_DISPLAY"]
        super().__init__(keep=keep)
        self.colour, self.compositor, self.seat = colour, self.bind("wl_compositor"), self.bind("wl_seat", 7)
        self.viewporter, self.pixels = self.bind("wp_viewporter"), self.bind("wp_single_pixel_buffer_manager_v1")
        self.surface = self.compositor.create_surface()
        self.shell = self.bind("xdg_wm_base", 3).get_xdg_surface(self.surface)
        self.toplevel = self.shell.get_toplevel()
        initially(self)
        self.surface.commit()
        self.wait_for(lambda: self.shell.number in self.configured, "a configure")
        self.shell.ack_configure(self.configured[self.shell.number])
        self.paint(self.surface, WIDTH, HEIGHT, colour)
        self.roundtrip()

    def paint(self, surface, width, height, colour):
        self.viewporter.get_viewport(surface).set_destination(width, height)
        surface.attach(self.pixels.create_u32_rgba_buffer(*(part * 0x01010101 for part in colour), 0xFFFFFFFF), 0, 0)
        surface.damage(0, 0, width, height)
        surface.commit()

    def expect(self, name):
        """The values of the next such event."""
        def found():
            return next((index for index, event in enumerate(self.events) if event[1] == name), None)

        self.wait_for(lambda: found() is not None, f"{name} (there is {self.events})")
        index = found()
        values = self.events[index][2]
        del self.events[: index + 1]
        return values


@on("full")
def a_client_that_asks_who_draws_its_decorations_is_told_itself():
    with lit_session() as session:
        for mode in (1, 2):  # client's, server's

            def ask(window):
                decoration = window.bind("zxdg_decoration_manager_v1").get_toplevel_decoration(window.toplevel)
                decoration.set_mode(mode)
                window.decoration = decoration

            window = WireWindow(session, RED, ("configure",), initially=ask)
            told = [values for target, name, values in window.events if target is window.decoration and name == "configure"]
            testing.equal(told, [[1]], f"decoration modes told to a client that wants {mode}")
            window.close()


@on("full")
def bindings_work_in_every_layout_and_under_caps_lock():
    for layout in ("ru", "gr", "us,ru"):
        with lit_session(f'[keyboard]\nlayout = "{layout}"\noptions = "grp:caps_toggle"\n') as session, hands(session) as (_, keyboard):
            for toggled in (False, True):
                if toggled:
                    keyboard.chord("capslock")
                window = Window(session)
                window.expect("keyboard-enter")
                keyboard.chord("logo", "q")
                window.expect("close")
    with lit_session() as session, hands(session) as (_, keyboard):
        keyboard.chord("capslock")
        window = Window(session)
        window.expect("keyboard-enter")
        keyboard.chord("logo", "q")
        window.expect("close")


@on("full")
def two_keyboards_are_one():
    with lit_session() as session:
        window = Window(session)
        with contextlib.closing(uinput.Keyboard()) as first, contextlib.closing(uinput.Keyboard()) as second:
            s.wait_until(lambda: session.input_devices() == 2, "the keyboards to be opened", PATIENCE)
            window.expect("keyboard-enter")
            first.press("a")
            window.expect("key", code=uinput.KEYS["a"], pressed=True)
            second.press("a")
            second.release("a")
            first.release("a")
            window.expect("key", code=uinput.KEYS["a"], pressed=False)
            testing.equal(window.told_meanwhile("key"), [], "events of a key that the other keyboard holds, too")
            first.press("logo")
            second.chord("q")
            window.expect("close")
            first.release("logo")


def plug_in(session, mouse):
    """Once more, after unplug(): mouse and keyboard are open then."""
    s.wait_until(lambda: session.input_devices() == 1, "the mouse to be closed", PATIENCE)
    mouse.plug_in()
    s.wait_until(lambda: session.input_devices() == 2, "the mouse to be opened", PATIENCE)


@on("full")
def a_mouse_that_is_unplugged_with_a_button_held_lets_go_of_it():
    with lit_session() as session:
        with hands(session) as (mouse, keyboard):
            below, box = Window(session, name="below"), new_box(0)
            below.wait_for_box(box)
            at = (box[0] + 20, box[1] + 20)
            mouse.to(*at)
            mouse.press()
            below.expect("button", pressed=True)
            mouse.unplug()
            below.expect("button", pressed=False)
            plug_in(session, mouse)
            other, other_box = Window(session, BLUE, name="other"), new_box(1)
            other.wait_for_box(other_box)
            inside = (other_box[0] + 200, other_box[1] + 150)
            mouse.to(*inside)
            other.expect("pointer-enter", **local(other_box, inside))

            keyboard.press("logo")
            other.expect("key", code=uinput.KEYS["logo"])
            mouse.press()
            mouse.to(inside[0] + 30, inside[1])
            other.wait_for_box((other_box[0] + 30, *other_box[1:]), "the window that is dragged")
            mouse.unplug()
            plug_in(session, mouse)
            keyboard.release("logo")
            # Told after libinput is done with the mouse: a motion before would be taken for the state that it has from the start.
            other.expect("key", code=uinput.KEYS["logo"], pressed=False)
            mouse.to(inside[0] + 60, inside[1] + 10)
            other.expect("motion", x=230, y=160)
            other.wait_for_box((other_box[0] + 30, *other_box[1:]), "the window, which rests")


@on("full")
def a_popup_that_grabs_has_the_keyboard_and_gives_it_back():
    with desk() as (session, mouse, keyboard):
        window, (x, y, *_) = Window(session), new_box()
        window.wait_for_box(new_box())
        window.expect("keyboard-enter", surface="window")
        open_popup(window, mouse, (x + 10, y + 10), 50, 50, "100x100", "none")
        window.expect("keyboard-enter", surface="popup-1")
        open_popup(window, mouse, (x + 60, y + 60), 20, 20, "50x50", "none")
        window.expect("keyboard-enter", surface="popup-2")
        keyboard.chord("a")
        window.expect("key", code=uinput.KEYS["a"], pressed=True)
        window.tell("drop")
        window.expect("keyboard-enter", surface="popup-1")
        window.tell("drop")
        window.expect("keyboard-enter", surface="window")


@on("full")
def what_is_dragged_is_dropped_on_the_window_below_the_pointer():
    with desk() as (session, mouse, _):
        events = ("enter", "leave", "drop", "motion", "button", "offer", "dnd_drop_performed", "dnd_finished", "cancelled", "target", "send")
        below = WireWindow(session, BLUE, events)
        below_box = new_box(0)
        target = below.bind("wl_data_device_manager").get_data_device(below.seat)
        below.roundtrip()
        source_window = WireWindow(session, RED, events)
        box = new_box(1)
        manager = source_window.bind("wl_data_device_manager")
        device, pointer = manager.get_data_device(source_window.seat), source_window.seat.get_pointer()
        source_window.roundtrip()
        mouse.to(box[0] + WIDTH - 10, box[1] + HEIGHT - 10)
        mouse.press()
        source_window.wait_for(lambda: any(event[:2] == (pointer, "button") for event in source_window.events), "the press")
        serial = next(values[0] for target_, name, values in source_window.events if (target_, name) == (pointer, "button"))
        source, icon = manager.create_data_source(), source_window.compositor.create_surface()
        source.offer("text/plain")
        source.set_actions(1)
        device.start_drag(source, source_window.surface, icon, serial)
        source_window.paint(icon, 40, 40, (0xC8, 0xC8, 0))
        source_window.roundtrip()
        at = (below_box[0] + 10, below_box[1] + 10)
        mouse.to(*at)
        entered = below.expect("enter")
        testing.equal((entered[1], entered[2] >> 8, entered[3] >> 8), (below.surface.number, 10, 10), "surface and place of wl_data_device.enter")
        s.wait_until(lambda: (s.photograph() == (0xC8, 0xC8, 0)).all(axis=2).sum() > 40 * 40 // 2, "the icon on the panel", PATIENCE)
        offer = below.objects[entered[4]]
        offer.accept(entered[0], "text/plain")
        offer.set_actions(1, 1)
        below.roundtrip()
        source_window.expect("target")
        mouse.release()
        below.expect("drop")
        offer.finish()
        below.roundtrip()
        source_window.expect("dnd_drop_performed")
        source_window.expect("dnd_finished")
        s.wait_until(lambda: not (s.photograph() == (0xC8, 0xC8, 0)).all(axis=2).any(), "the icon to be gone", PATIENCE)
        testing.equal(target.alive, True, "the data device")

        refused = manager.create_data_source()
        refused.offer("text/plain")
        device.start_drag(refused, source_window.surface, None, serial)  # the press is over
        source_window.expect("cancelled")
        for _ in range(1000):
            device.start_drag(None, source_window.surface, None, serial)
        source_window.roundtrip()


@on("full")
def a_finger_belongs_to_the_surface_that_it_came_down_on():
    with lit_session() as session:
        height, width = s.photograph().shape[:2]
        with contextlib.closing(uinput.TouchScreen((width, height))) as screen:
            s.wait_until(lambda: session.input_devices() == 1, "the touch screen to be opened", PATIENCE)
            first = WireWindow(session, RED, ("down", "up", "motion", "frame", "cancel"))
            first.seat.get_touch()
            second = WireWindow(session, BLUE, ("down", "up", "motion", "frame", "cancel"))
            second.seat.get_touch()
            first.roundtrip()
            second.roundtrip()
            x, y, *_ = new_box(0)
            screen.down(0, x + 5, y + 6)
            told = first.expect("down")
            testing.equal((told[2], told[4] >> 8, told[5] >> 8), (first.surface.number, 5, 6), "surface and place")
            screen.down(1, x + 100, y + 100)  # the first window is raised
            first.expect("down")
            screen.move(0, x - 50, y - 40)
            told = first.expect("motion")
            testing.equal((told[2] >> 8, told[3] >> 8), (-50, -40), "place, outside its surface")
            screen.up(1)
            first.expect("up")
            screen.unplug()
            first.expect("cancel")
            second.roundtrip()
            testing.equal(second.events, [], "what the other window is told")


@on("full")
def a_device_is_set_up_as_the_configuration_says():
    for config, sign in (("", 1), ("[input]\nnatural_scroll = true\n", -1),
                         ('[input]\nnatural_scroll = true\n[input."vitrine test wheel"]\nnatural_scroll = false\n', 1)):
        with lit_session(config) as session, hands(session) as (mouse, _), contextlib.closing(uinput.Wheel()) as wheel:
            s.wait_until(lambda: session.input_devices() == 3, "the wheel to be opened", PATIENCE)
            window = WireWindow(session, RED, ("axis", "enter"))
            window.seat.get_pointer()
            window.roundtrip()
            x, y, *_ = new_box()
            mouse.to(x + 10, y + 10)
            window.expect("enter")
            wheel.scroll(-1)
            axis = window.expect("axis")
            testing.equal(axis[2] > 0, sign > 0, f"whether it scrolls down with {config!r}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
