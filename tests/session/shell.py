#!/usr/bin/env python3
"""Windows, popups, pointer and keyboard, in the guest: real input devices, a client that tells what it is told, and the panel."""

import contextlib
import os
import re
import signal
import subprocess
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import frame_bar  # noqa: E402
import reference  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
from desk import (BLUE, CURSOR_PIXELS, GREEN, HEIGHT, PATIENCE, RED, TOLERANCE, WIDTH, YELLOW, Window, box_of, click, desk, drag,  # noqa: E402
                  hands, lit_session, local, new_box, open_popup, wait_for_box)

PROFILE = os.environ["VITRINE_PROFILE"]


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


@on("full")
def the_pointer_is_told_where_it_is_in_the_window_under_it():
    with desk() as (session, mouse, keyboard):
        window, box = Window(session), new_box()
        window.wait_for_box(box)
        at = (box[0] + 38, box[1] + 16)
        mouse.to(*at)
        window.expect("pointer-enter", surface="window", **local(box, at))
        mouse.press()
        window.expect("button", surface="window", button=uinput.BTN_LEFT, pressed=True, **local(box, at))
        outside = (box[0] - 50, box[1] + HEIGHT + 20)
        mouse.to(*outside)
        window.expect("motion", **local(box, outside))  # as long as the button is held
        mouse.release()
        window.expect("button", pressed=False, **local(box, outside))
        window.expect("pointer-leave", surface="window")
        mouse.to(*at)
        window.expect("pointer-enter", surface="window", **local(box, at))
        keyboard.chord("logo", "m")
        window.wait_for_box((0, 0, *reversed(s.photograph().shape[:2])), "the maximised window")
        mouse.press()  # without moving: it is the window that has moved
        window.expect("button", pressed=True, x=at[0], y=at[1])
        mouse.release()


@on("full")
def a_seat_has_what_is_plugged_in():
    def seat():
        said = subprocess.run(["wayland-info", "-i", "wl_seat"], env=session.environment, capture_output=True, text=True,
                              timeout=60, check=True)
        return set(re.search(r"capabilities:(.*)", said.stdout).group(1).split())

    with lit_session() as session:
        testing.equal(seat(), set(), "capabilities without any device")
        with hands(session) as (mouse, _):
            testing.equal(seat(), {"pointer", "keyboard"}, "capabilities with mouse and keyboard")
            with contextlib.closing(uinput.Mouse()):
                s.wait_until(lambda: session.input_devices() == 3, "the second mouse to be opened", PATIENCE)
            s.wait_until(lambda: session.input_devices() == 2, "the second mouse to be closed", PATIENCE)
            testing.equal(seat(), {"pointer", "keyboard"}, "capabilities with one mouse gone")
            mouse.to(200, 200)
            s.wait_until(lambda: (s.photograph() != s.DESKTOP).any(), "the pointer on the panel", PATIENCE)
        s.wait_until(lambda: not seat(), "a seat without capabilities", PATIENCE)
        s.wait_until(lambda: (s.photograph() == s.DESKTOP).all(), "a panel without a pointer", PATIENCE)


@on("full")
def what_moves_below_a_resting_pointer_is_told_so():
    with desk() as (session, mouse, _):
        below = Window(session, name="below")
        below.wait_for_box(new_box(0))
        above = Window(session, BLUE, name="above")
        above.wait_for_box(new_box(1))
        at = (new_box(1)[0] + 100, new_box(1)[1] + 100)
        mouse.to(*at)
        above.expect("pointer-enter", **local(new_box(1), at))
        testing.equal(below.told_meanwhile("pointer-enter"), [], "what the covered window is told")
        above.client.stop(signal.SIGKILL)
        below.expect("pointer-enter", **local(new_box(0), at))
        mouse.press()
        below.expect("button", pressed=True, **local(new_box(0), at))


@on("full")
def keys_go_to_the_focused_window_and_a_click_changes_which_that_is():
    with lit_session() as session:
        first = Window(session, name="first")
        first.wait_for_box(new_box(0))
        with hands(session) as (mouse, keyboard):
            first.expect("keyboard-enter", surface="window")  # although there was no keyboard when it was focused
            second = Window(session, BLUE, name="second")
            second.expect("keyboard-enter", surface="window")
            first.expect("keyboard-leave")
            second.wait_for_box(new_box(1))
            testing.equal(box_of(RED), None, "the covered window's box")
            keyboard.chord("a")
            second.expect("key", code=uinput.KEYS["a"], pressed=True)
            second.expect("key", code=uinput.KEYS["a"], pressed=False)

            click(mouse, new_box(0)[0] + 5, new_box(0)[1] + 5)
            first.expect("keyboard-enter")
            first.wait_for_box(new_box(0), "the raised window on the panel")
            second.expect("keyboard-leave")
            keyboard.chord("a")
            first.expect("key", code=uinput.KEYS["a"], pressed=True)
            testing.equal(second.told_meanwhile("key"), [], "keys of the window without focus")

            keyboard.press("logo")
            first.expect("key", code=uinput.KEYS["logo"], pressed=True)
            keyboard.chord("tab")
            second.expect("keyboard-enter", held=[uinput.KEYS["logo"]])
            keyboard.release("logo")
            told = second.expect("key")  # the first: nobody hears of the bound key
            testing.equal((told["code"], told["pressed"]), (uinput.KEYS["logo"], False), "key and its state")
            testing.equal(first.told_meanwhile("key"), [], "keys of the window that was left")
            second.wait_for_box(new_box(1), "the next window, raised")
            click(mouse, 5, 5)  # the desktop
            second.expect("keyboard-leave")
            keyboard.chord("a")
            for window in (first, second):
                testing.equal([key for key in window.told_meanwhile("key") if key["code"] == uinput.KEYS["a"] and key["pressed"]],
                              [], "keys that nobody is to get")

            click(mouse, new_box(0)[0] + 5, new_box(0)[1] + 5)
            first.expect("keyboard-enter")
            keyboard.chord("logo", "q")
            first.expect("close")
            testing.equal(first.client.wait(), 0, "status of a window that was asked to close")
            second.expect("keyboard-enter")
            second.wait_for_box(new_box(1), "the window that is left")
            testing.equal(box_of(RED), None, "the closed window's box")
            second.tell("hide")
            second.expect("keyboard-leave")
            s.wait_until(lambda: box_of(BLUE) is None, "the hidden window to be gone", PATIENCE)


@on("full")
def an_unknown_keyboard_layout_is_told_and_keys_work():
    with lit_session('[keyboard]\nlayout = "nowhere"\n') as session, hands(session) as (_, keyboard):
        s.wait_until(lambda: "xkbcommon does not know it" in session.compositor.log(), "the warning", PATIENCE)
        window = Window(session)
        window.expect("keyboard-enter")
        keyboard.chord("a")
        window.expect("key", code=uinput.KEYS["a"], pressed=True)


@on("full")
def a_window_is_moved_with_the_pointer_while_a_button_is_held():
    with desk() as (session, mouse, keyboard):
        window, (x, y, *size) = Window(session), new_box()
        window.wait_for_box((x, y, *size))
        drag(session, window, mouse, (x + 40, y + 30), (x + 140, y - 70), "move")
        window.wait_for_box((x + 100, y - 100, *size), "the window while it is dragged")
        drag_end = (x + 140, y - 70)
        mouse.release()
        window.expect("pointer-enter", x=40, y=30)  # it was the compositor's meanwhile
        mouse.to(drag_end[0] + 10, drag_end[1])
        window.expect("motion", x=50, y=30)
        window.wait_for_box((x + 100, y - 100, *size), "the window after it was dragged")

        window.tell("move")  # the serial is of a press that is over
        window.told_meanwhile()
        mouse.to(drag_end[0] + 30, drag_end[1])
        window.expect("motion", x=70, y=30)

        keyboard.press("logo")
        window.expect("key", code=uinput.KEYS["logo"])
        mouse.press()
        mouse.to(drag_end[0] + 30, drag_end[1] + 50)
        window.wait_for_box((x + 100, y - 50, *size), "the window while it is dragged with Logo")
        mouse.release()
        keyboard.release("logo")
        testing.equal(window.told_meanwhile("button"), [], "what the window knows of the button")


@on("full")
def a_window_is_resized_with_the_pointer_at_each_edge():
    with desk() as (session, mouse, _):
        window, (x, y, width, height) = Window(session, RED, GREEN, "--min", "100x80"), new_box()
        window.wait_for_box((x, y, width, height))
        drag(session, window, mouse, (x + 290, y + 190), (x + 340, y + 220), "resize", "bottom_right")
        window.expect("configure", width=width + 50, height=height + 30, states=["resizing", "activated"])
        width, height = width + 50, height + 30
        window.wait_for_box((x, y, width, height), "the window, larger to the right and below,")
        mouse.release()
        window.expect("configure", width=width, height=height, states=["activated"])

        drag(session, window, mouse, (x + 10, y + 10), (x - 30, y - 10), "resize", "top_left")
        x, y, width, height = x - 40, y - 20, width + 40, height + 20
        window.wait_for_box((x, y, width, height), "the window, larger to the left and above,")
        mouse.release()

        drag(session, window, mouse, (x + 10, y + 50), (x + 600, y + 50), "resize", "left")
        window.wait_for_box((x + width - 100, y, 100, height), "the window, as small as it may be,")
        mouse.release()
        window.expect("configure", width=100, states=["activated"])

        x += width - 100
        drag(session, window, mouse, (x + 10, y + 50), (x + 60, y + 90), "resize", "bottom_right")
        window.expect("configure", width=150, height=height + 40)
        window.tell("hide")
        s.wait_until(lambda: box_of(RED) is None, "the window to be gone while it is resized", PATIENCE)
        mouse.to(x + 70, y + 90)
        mouse.release()
        window.tell("show")
        window.expect("keyboard-enter")
        window.expect("configure", states=["activated"])
        window.wait_for_box(new_box(0), "the window that was hidden while it was resized")


@on("full")
def the_opposite_edge_rests_while_a_window_obeys_in_its_own_way():
    with desk() as (session, mouse, _):
        window, (x, y, width, height) = Window(session, RED, GREEN, "--step", "50"), new_box()
        window.wait_for_box((x, y, width, height))
        drag(session, window, mouse, (x + 10, y + 10), (x - 55, y - 65), "resize", "top_left")
        window.wait_for_box((x - 50, y - 50, width + 50, height + 50), "a window of steps of 50 pixels")
        mouse.release()
        stubborn = Window(session, BLUE, GREEN, "--fixed", name="stubborn")
        x, y, width, height = new_box(1)
        stubborn.wait_for_box(new_box(1))
        drag(session, stubborn, mouse, (x + 10, y + 10), (x + 60, y + 60), "resize", "top_left")
        stubborn.expect("configure", width=width - 50, height=height - 50)
        mouse.release()
        stubborn.expect("configure", width=width - 50, height=height - 50, states=["activated"])
        stubborn.told_meanwhile()
        stubborn.wait_for_box(new_box(1), "a window that does not obey")


@on("full")
def a_maximised_window_fills_the_output_and_comes_back():
    with desk() as (session, mouse, keyboard):
        window, (x, y, *size) = Window(session), new_box()
        screen = (0, 0, *reversed(s.photograph().shape[:2]))
        window.wait_for_box((x, y, *size))
        drag(session, window, mouse, (x + 40, y + 30), (x + 90, y + 130), "move")
        moved = (x + 50, y + 100, *size)
        window.wait_for_box(moved)
        mouse.release()
        window.told_meanwhile()
        window.tell("maximize")
        window.expect("configure", width=screen[2], height=screen[3], states=["maximized", "activated"])
        window.wait_for_box(screen, "the maximised window")
        drag(session, window, mouse, (100, 100), (200, 200), "move")
        window.expect("motion", x=200, y=200)  # the pointer stays the window's
        mouse.release()
        window.wait_for_box(screen, "the maximised window that somebody wants to drag")
        window.tell("unmaximize")
        window.expect("configure", width=WIDTH, height=HEIGHT, states=["activated"])
        window.wait_for_box(moved, "the window after it was maximised")

        keyboard.chord("logo", "m")
        window.wait_for_box(screen, "the window maximised by a key")
        window.tell("fullscreen")
        window.expect("configure", states=["maximized", "fullscreen", "activated"])
        window.tell("unfullscreen")
        window.expect("configure", width=screen[2], height=screen[3], states=["maximized", "activated"])
        keyboard.chord("logo", "m")
        window.expect("configure", width=WIDTH, height=HEIGHT, states=["activated"])
        window.wait_for_box(moved, "the window after it was full screen and maximised")

        drag(session, window, mouse, (moved[0] + 10, moved[1] + 10), (moved[0], moved[1] - 40), "move")
        mouse.release()
        moved = (moved[0] - 10, moved[1] - 50, *size)
        window.wait_for_box(moved)
        window.tell("unmaximize")  # it is not
        window.expect("configure", states=["activated"])
        window.told_meanwhile()
        window.wait_for_box(moved, "a window that was not maximised")

        window.tell("maximize")
        window.wait_for_box(screen, "the window, maximised once more,")
        window.tell("hide")
        s.wait_until(lambda: box_of(RED) is None, "the hidden window to be gone", PATIENCE)
        window.tell("show")
        window.expect("keyboard-enter")
        window.expect("configure", states=["activated"])
        window.wait_for_box(new_box(0), "a window that was hidden while it was maximised")


@on("full")
def a_client_makes_its_window_full_screen_and_comes_back():
    with desk() as (session, mouse, _):
        window, box = Window(session), new_box()
        screen = (0, 0, *reversed(s.photograph().shape[:2]))
        window.wait_for_box(box)
        window.tell("fullscreen")
        window.expect("configure", width=screen[2], height=screen[3], states=["fullscreen", "activated"])
        window.wait_for_box(screen, "the window in full screen")
        drag(session, window, mouse, (100, 100), (200, 200), "move")
        window.expect("motion", x=200, y=200)  # the pointer stays the window's
        mouse.release()
        window.wait_for_box(screen, "the full screen that somebody wants to drag")
        window.tell("unfullscreen")
        window.expect("configure", width=WIDTH, height=HEIGHT, states=["activated"])
        window.wait_for_box(box, "the window after full screen")

        small = Window(session, BLUE, GREEN, "--fixed", name="small")
        small.wait_for_box(new_box(1))
        small.tell("fullscreen")
        small.wait_for_box(new_box(0), "a window that does not obey, in the middle of its full screen")
        around = s.photograph()
        x, y, width, height = new_box(0)
        around[y : y + height, x : x + width] = 0
        if np.count_nonzero(around.any(axis=2)) > CURSOR_PIXELS:
            raise AssertionError("around it the panel is not black")
        small.tell("unfullscreen")
        small.wait_for_box(new_box(1), "that window after full screen")


@on("full")
def what_counts_as_the_window_is_without_its_shadow():
    with desk() as (session, mouse, _):
        shadow = 30
        window, (x, y, width, height) = Window(session, RED, GREEN, "--shadow", str(shadow)), new_box()
        with_shadow = (x - shadow, y - shadow, width + shadow, height + shadow)
        window.wait_for_box(with_shadow, "the window with its shadow")
        mouse.to(x + 10, y + 20)
        window.expect("pointer-enter", x=10 + shadow, y=20 + shadow)
        mouse.press()
        window.expect("button", pressed=True)
        window.tell("popup", 40, 50, "100x60", "none")
        window.expect("popup-configure", x=40, y=50, width=100, height=60)
        wait_for_box(GREEN, (x + 40, y + 50, 100, 60), "a popup of a window with a shadow")
        mouse.release()
        click(mouse, 5, 5)
        window.expect("popup-done")
        window.tell("maximize")
        window.wait_for_box((0, 0, *reversed(s.photograph().shape[:2])), "the maximised window")
        mouse.to(200, 100)
        window.expect("motion", x=200 + shadow, y=100 + shadow)
        right = s.photograph().shape[1]
        testing.equal(open_popup(window, mouse, (200, 100), right - 50, 100, "100x60", "slide")[:2], (right - 100, 100), "the slid popup")
        wait_for_box(GREEN, (right - 100, 100, 100, 60), "a popup at the edge")
        window.tell("drop")
        window.tell("unmaximize")
        window.wait_for_box(with_shadow, "the window with its shadow, as before,")


@on("full")
def a_popup_appears_at_its_place_and_a_click_elsewhere_dismisses_it():
    with desk() as (session, mouse, keyboard):
        other, window = Window(session, BLUE, name="other"), None
        other.wait_for_box(new_box(0))
        window, (x, y, *_) = Window(session), new_box(1)
        window.wait_for_box(new_box(1))
        testing.equal(open_popup(window, mouse, (x + 10, y + 10), 250, 150, "120x100", "flip"), (250, 150, 120, 100), "the popup's box")
        wait_for_box(GREEN, (x + 250, y + 150, 120, 100), "the popup on the panel")
        mouse.to(x + 350, y + 230)  # outside its window
        window.expect("pointer-enter", surface="popup-1", x=100, y=80)
        mouse.press()
        window.expect("button", surface="popup-1", pressed=True)
        mouse.release()
        window.expect("button", surface="popup-1", pressed=False)
        keyboard.chord("a")
        window.expect("key", code=uinput.KEYS["a"], pressed=True)
        testing.equal(window.told_meanwhile("popup-done"), [], "the end of a popup that was clicked")
        click(mouse, 5, 5)
        window.expect("popup-done")
        s.wait_until(lambda: box_of(GREEN) is None, "the popup to be gone from the panel")

        click(mouse, x + 10, y + 10)
        window.expect("button", pressed=False)
        open_popup(window, mouse, (x + 10, y + 10), 250, 150, "120x100", "none")
        wait_for_box(GREEN, (x + 250, y + 150, 120, 100), "the popup on the panel")
        click(mouse, new_box(0)[0] + 5, new_box(0)[1] + 5)
        window.expect("popup-done")
        other.wait_for_box(new_box(0), "the other window, raised,")
        keyboard.chord("a")
        other.expect("key", code=uinput.KEYS["a"], pressed=True)
        testing.equal(window.told_meanwhile("key"), [], "keys of the window whose popup was dismissed")


@on("full")
def a_popup_stays_inside_the_output():
    with desk() as (session, mouse, _):
        window, (x, y, *size) = Window(session), new_box()
        height, width = s.photograph().shape[:2]
        window.wait_for_box((x, y, *size))
        # Its bottom-right corner 20 pixels away from the output's.
        right, below = width - 20 - WIDTH - x, height - 20 - HEIGHT - y
        drag(session, window, mouse, (x + 10, y + 10), (x + 10 + right, y + 10 + below), "move")
        mouse.release()
        x, y = x + right, y + below
        window.wait_for_box((x, y, *size), "the window in the corner")
        for adjust, place in (("none", (270, 180)), ("flip", (151, 121)), ("slide", (WIDTH + 20 - 120, HEIGHT + 20 - 60))):
            asked = (270, 180, "120x60", adjust)
            testing.equal(open_popup(window, mouse, (x + 10, y + 10), *asked), (*place, 120, 60), f"the popup's box with {adjust}")
            if adjust != "none":
                wait_for_box(GREEN, (x + place[0], y + place[1], 120, 60), f"the popup on the panel with {adjust}")
            window.tell("drop")
            s.wait_until(lambda: not (s.photograph() == GREEN).all(axis=2).any(), "the popup to be gone from the panel")
        open_popup(window, mouse, (x + 10, y + 10), 200, 100, "60x60", "slide")
        wait_for_box(GREEN, (x + 200, y + 100, 60, 60), "the popup on the panel")
        # Of the popup, the child's place is 30,30; that is 230,130 of the window.
        testing.equal(open_popup(window, mouse, (x + 210, y + 110), 30, 30, "200x200", "slide"),
                      (WIDTH + 20 - 200 - 200, HEIGHT + 20 - 200 - 100, 200, 200), "the box of the popup's popup")
        wait_for_box(GREEN, (x + WIDTH + 20 - 200, y + HEIGHT + 20 - 200, 200, 200), "the popup's popup on the panel")
        click(mouse, 5, 5)
        window.expect("popup-done")
        window.expect("popup-done")
        window.wait_for_box((x, y, *size), "the window without popups")

        open_popup(window, mouse, (x + 10, y + 10), 200, 100, "60x60", "slide")
        window.tell("reposition", 270, 20, "120x80", "slide")
        told = window.expect("popup-configure")
        testing.equal((told["x"], told["y"], told["width"], told["height"]), (WIDTH + 20 - 120, 20, 120, 80), "the popup's new box")
        wait_for_box(GREEN, (x + WIDTH + 20 - 120, y + 20, 120, 80), "the popup at its new place")
        click(mouse, 5, 5)
        window.expect("popup-done")


@on("full")
def a_dialog_stays_above_its_parent():
    with desk() as (session, mouse, _):
        window, (x, y, *size) = Window(session), new_box()
        window.wait_for_box((x, y, *size))
        window.tell("dialog", "120x80")
        dialog = (x + (WIDTH - 120) // 2, y + (HEIGHT - 80) // 2, 120, 80)
        wait_for_box(GREEN, dialog, "the dialog in the middle of its window")
        window.expect("keyboard-enter", surface="dialog")
        click(mouse, x + 10, y + 10)
        window.expect("keyboard-enter", surface="window")
        wait_for_box(GREEN, dialog, "the dialog above the window that was clicked")
        other = Window(session, BLUE, name="other")
        other.wait_for_box(new_box(1))
        testing.equal(box_of(GREEN), None, "the dialog below another window")
        click(mouse, x + 10, y + 10)
        wait_for_box(GREEN, dialog, "the dialog raised with its window")
        window.tell("fullscreen")
        s.wait_until(lambda: box_of(BLUE) is None, "the window to cover the other", PATIENCE)
        wait_for_box(GREEN, dialog, "the dialog above its full screen")


@on("full")
def a_protected_video_below_a_popup_goes_on():
    with desk() as (session, mouse, _):
        player = session.play(s.make_clip(fps=60), "--loop")
        s.wait_until(lambda: session.output()["protected_surfaces"], "the first protected frame")
        session.wait_for_frames(5)
        video = s.find_box(s.photograph(), session.screenshot())
        testing.equal(video[2:], (640, 360), "size of the video on the panel")
        # The video has all colours, a screenshot only the placeholder's.
        window, (x, y, *size) = Window(session), new_box(1)
        window.wait_for_box((x, y, *size), see=session.screenshot)
        over = 120  # pixels of its width, after it was dragged to the left
        left = x + WIDTH - video[0] - over
        drag(session, window, mouse, (x + 10, y + 10), (x + 10 - left, y + 10), "move")
        mouse.release()
        x -= left
        window.wait_for_box((x, y, *size), see=session.screenshot)
        open_popup(window, mouse, (x + 10, y + 10), 200, 50, "300x100", "none")
        wait_for_box(GREEN, (x + 200, y + 50, 300, 100), "the popup", session.screenshot)
        assert_video_right_around(session, video, {RED: over * HEIGHT - (WIDTH - 200) * 100, GREEN: 300 * 100})
        click(mouse, 5, 5)
        window.expect("popup-done")
        s.wait_until(lambda: box_of(GREEN, session.screenshot) is None, "the popup to be gone")
        assert_video_right_around(session, video, {RED: over * HEIGHT})
        testing.equal(player.running(), True, "the player")


def assert_video_right_around(session, box, covers):
    """The panel shows the video but for so many pixels of these colours, and a screenshot the placeholder."""
    session.wait_for_frames(5)
    video, public = s.crop(s.photograph(), box), s.crop(session.screenshot(), box)
    covered = np.zeros(video.shape[:2], bool)
    for colour, pixels in covers.items():
        mask = (public == colour).all(axis=2)
        testing.equal(int(mask.sum()), pixels, f"pixels of the video below {colour}")
        if not (video[mask] == colour).all():
            raise AssertionError(f"the panel does not show {colour} where the screenshot does")
        covered |= mask
    worst = reference.largest_difference(video, box[2], box[3], frame_bar.read_frame_number(video), where=~covered)
    if worst > TOLERANCE:
        raise AssertionError(f"around popup and window the video differs by {worst:.2f} of 255")
    if not s.only_placeholder(public[~covered]):
        raise AssertionError("around popup and window the screenshot shows something else than the placeholder")
    if not s.only_placeholder(public[~covered]):
        raise AssertionError("the screenshot shows something else than placeholder, window and popup")


@on("full")
def a_client_that_dies_with_its_popup_open_leaves_a_working_session():
    with desk() as (session, mouse, keyboard):
        left, dying = Window(session, BLUE, YELLOW, name="left"), None
        left.wait_for_box(new_box(0))
        for _ in range(2):
            dying = Window(session, name="dying")
            dying.expect("keyboard-enter")
            x, y, *_ = dying_box = s.wait_until(lambda: box_of(RED), "the window")
            open_popup(dying, mouse, (x + 10, y + 10), 150, 100, "200x150", "none")
            wait_for_box(GREEN, (x + 150, y + 100, 200, 150), "the popup on the panel")
            mouse.to(x + 160, y + 110)
            dying.expect("pointer-enter", surface="popup-1")
            testing.equal(dying_box[2:], (WIDTH, HEIGHT), "size of the window")
            dying.client.stop(signal.SIGKILL)
            left.expect("keyboard-enter")
            left.expect("pointer-enter", **local(new_box(0), (x + 160, y + 110)))
            left.wait_for_box(new_box(0), "the window that is left")
            testing.equal((box_of(RED), box_of(GREEN)), (None, None), "the dead client's boxes")
            keyboard.chord("a")
            left.expect("key", code=uinput.KEYS["a"], pressed=True)
        open_popup(left, mouse, (new_box(0)[0] + 10, new_box(0)[1] + 10), 20, 20, "50x50", "none")
        wait_for_box(YELLOW, (new_box(0)[0] + 20, new_box(0)[1] + 20, 50, 50), "another client's popup")


@on("full")
def a_window_whose_toplevel_is_made_again_is_shown_once():
    with desk() as (session, mouse, _):
        window = Window(session)
        window.wait_for_box(new_box(0))
        Window(session, BLUE, name="other").wait_for_box(new_box(1))
        window.expect("keyboard-leave")
        window.tell("renew")
        window.expect("keyboard-enter")
        window.wait_for_box(new_box(2), "the window, where the next one is put,")
        click(mouse, new_box(0)[0] + 5, new_box(0)[1] + 5)  # where nothing is any more
        window.expect("keyboard-leave")
        testing.equal(window.told_meanwhile("button"), [], "clicks at the place that was left")


@on("full")
def a_client_that_stalls_under_a_fast_mouse_gets_it_all_afterwards():
    with desk() as (session, mouse, _):
        window, (x, y, *_) = Window(session), new_box()
        window.wait_for_box(new_box())
        mouse.to(x + 10, y + 10)
        window.expect("pointer-enter")
        window.client.process.send_signal(signal.SIGSTOP)
        for step in range(1500):  # a second of a mouse of 1000 Hz, and a half
            mouse.to(x + 10 + step % 100, y + 10)
        mouse.to(x + 150, y + 50)
        session.status()  # the compositor has read that much
        window.client.process.send_signal(signal.SIGCONT)
        window.expect("motion", x=150, y=50)
        testing.equal(window.client.running(), True, "the client that stalled")


@on("full")
def a_keyboard_that_is_unplugged_while_keys_are_held_leaves_none_held():
    with lit_session() as session:
        window = Window(session)
        for _ in range(2):
            with contextlib.closing(uinput.Keyboard()) as keyboard:
                window.expect("keyboard-enter")
                keyboard.press("a")
                window.expect("key", code=uinput.KEYS["a"], pressed=True)
            window.expect("key", code=uinput.KEYS["a"], pressed=False)
            s.wait_until(lambda: not session.input_devices(), "the keyboard to be closed", PATIENCE)


@on("full")
def a_screenshot_has_the_pointer_only_where_that_was_asked_for():
    with desk() as (session, mouse, _):
        seen = {}
        for place in ((100, 100), (300, 300)):
            mouse.to(*place)
            s.wait_until(lambda place=place: (s.photograph()[place[1]:, place[0]:][:8, :8] != s.DESKTOP).any(), "the pointer on the panel", PATIENCE)
            seen[place] = session.screenshot("without.png", cursor=False), session.screenshot("with.png")
        first, second = seen.values()
        testing.equal((first[0] == s.DESKTOP).all() and (second[0] == s.DESKTOP).all(), True, "whether screenshots show the desktop alone")
        testing.equal((first[1] != second[1]).any(), True, "whether screenshots with the pointer differ")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
