#!/usr/bin/env python3
"""Bindings from the configuration, and a configuration that changes while the session runs, in the guest."""

import os
import signal
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
from desk import PATIENCE, Window, hands, new_box  # noqa: E402
from hands import lit_session  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
CONFIG = os.path.join(s.OUT, "vitrine.toml")  # where Session writes it
COMMON = "[vulkan]\nvalidation = true\n"  # as Session has it, so that nothing waits for the next start


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


def write(text, path=CONFIG):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + (COMMON if not s.BUILD.endswith("asan") else ""))


def logged(session, words):
    """The lines of the log about the configuration that have these words, so far."""
    return [line for line in session.compositor.log().splitlines() if " config" in line and words in line]


def wait_for_line(session, words, count=1):
    s.wait_until(lambda: len(logged(session, words)) >= count, f"'{words}' {count} times in the log", PATIENCE)


def background(colour):
    return f'[output]\nbackground = "#{colour:06x}"\n'


def wait_for_background(colour):
    wanted = (colour >> 16, colour >> 8 & 0xFF, colour & 0xFF)
    s.wait_until(lambda: tuple(int(part) for part in s.photograph()[0, -1]) == wanted, f"the background {colour:06x}", PATIENCE)


@on("full")
def every_action_is_listed_and_the_defaults_are_in_the_list():
    said = subprocess.run(["vitrine", "--list-actions"], capture_output=True, text=True, check=True, timeout=60).stdout
    for words in ("run COMMAND\n", "snap left|right|top|bottom|off\n", "default: Logo+Left = left, Logo+Right = right, Logo+Down = off\n",
                  "close\n    ask the focused window to close\n    default: Logo+q\n", "default: Logo+LeftButton\n"):
        if words not in said:
            raise AssertionError(f"vitrine --list-actions does not say {words!r}: {said}")


@on("full")
def keys_and_buttons_do_what_the_configuration_says():
    config = '[bindings]\n"Ctrl+Alt+m" = "maximize"\n"Logo+m" = "none"\n"Logo+a" = "run touch /tmp/ran"\n[mouse_bindings]\n"Ctrl+LeftButton" = "close"\n'
    if os.path.exists("/tmp/ran"):
        os.remove("/tmp/ran")
    with lit_session(config) as session, hands(session) as (mouse, keyboard):
        window = Window(session)
        window.expect("keyboard-enter")
        screen = (0, 0, *reversed(s.photograph().shape[:2]))
        keyboard.chord("ctrl", "alt", "m")
        window.wait_for_box(screen, "the maximised window")
        keyboard.chord("ctrl", "alt", "m")
        window.wait_for_box(new_box(), "the window after it was maximised")
        keyboard.chord("logo", "m")  # the window's
        window.expect("key", code=50, pressed=True)
        keyboard.chord("logo", "a")
        s.wait_until(lambda: os.path.exists("/tmp/ran"), "the command to run", PATIENCE)
        mouse.to(new_box()[0] + 5, new_box()[1] + 5)
        window.expect("pointer-enter")
        keyboard.press("ctrl")
        mouse.press()
        testing.equal(window.client.wait(), 0, "status of the window that Ctrl and a button close")
        mouse.release()
        keyboard.release("ctrl")


@on("full")
def a_window_snaps_to_halves_and_comes_back():
    with lit_session() as session, hands(session) as (_, keyboard):
        height, width = s.photograph().shape[:2]
        window = Window(session)
        window.wait_for_box(new_box())
        for key, box in (("left", (0, 0, width // 2, height)), ("right", (width // 2, 0, width - width // 2, height))):
            keyboard.chord("logo", key)
            window.wait_for_box(box, f"the window on the {key} half")
        keyboard.chord("logo", "m")
        window.wait_for_box((0, 0, width, height), "the maximised window")
        keyboard.chord("logo", "left")
        window.wait_for_box((0, 0, width // 2, height), "the window on the left half after it was maximised")
        keyboard.chord("logo", "f")
        window.wait_for_box((0, 0, width, height), "the fullscreen window")
        keyboard.chord("logo", "f")
        window.wait_for_box((0, 0, width // 2, height), "the window on the left half after it was fullscreen")
        keyboard.chord("logo", "down")
        window.wait_for_box(new_box(), "the window where it was before")


@on("full")
def focus_goes_round_the_windows_in_both_directions():
    with lit_session() as session, hands(session) as (_, keyboard):
        windows = []
        for number in range(3):  # one after the other, which is the order that is gone round
            windows.append(Window(session, name=f"window-{number}"))
            windows[-1].expect("keyboard-enter")
        keyboard.chord("logo", "tab")
        windows[0].expect("keyboard-enter")
        keyboard.chord("logo", "tab")
        windows[1].expect("keyboard-enter")
        keyboard.chord("logo", "shift", "tab")
        windows[0].expect("keyboard-enter")
        keyboard.chord("logo", "shift", "tab")
        windows[2].expect("keyboard-enter")
        keyboard.chord("logo", "n")
        windows[1].expect("keyboard-enter")
        testing.equal(windows[2].client.running(), True, "the minimised window")


@on("full")
def a_saved_configuration_is_in_use_at_once_however_it_is_saved():
    with lit_session(background(0x102030)) as session, hands(session) as (_, keyboard):
        wait_for_background(0x102030)
        write(background(0x203040))  # written in place
        wait_for_background(0x203040)
        write(background(0x304050) + '[bindings]\n"Logo+m" = "close"\n', CONFIG + ".new")
        os.rename(CONFIG + ".new", CONFIG)  # as many editors do
        wait_for_background(0x304050)
        window = Window(session)
        window.expect("keyboard-enter")
        keyboard.chord("logo", "m")
        testing.equal(window.client.wait(), 0, "status of the window that the new binding closes")
        # A link, and a change of the file that it leads to
        write(background(0x405060), "/tmp/elsewhere.toml")
        os.symlink("/tmp/elsewhere.toml", CONFIG + ".link")
        os.rename(CONFIG + ".link", CONFIG)
        wait_for_background(0x405060)
        write(background(0x506070), "/tmp/elsewhere.toml")
        wait_for_background(0x506070)
        os.remove(CONFIG)


@on("full")
def sighup_reads_the_configuration_again():
    with lit_session(background(0x102030)) as session, hands(session) as (_, keyboard):
        wait_for_background(0x102030)
        session.compositor.process.send_signal(signal.SIGHUP)
        wait_for_line(session, "in use now")
        window = Window(session)
        window.expect("keyboard-enter")
        write('[keyboard]\nlayout = "de"\nrepeat_rate = 7\n' + background(0x203040))
        wait_for_background(0x203040)
        keyboard.chord("y")  # on a German keyboard: z
        keyboard.chord("logo", "m")
        window.expect("key", code=21, pressed=True)


@on("full")
def a_configuration_with_an_error_changes_nothing():
    with lit_session(background(0x102030)) as session:
        wait_for_background(0x102030)
        for text, words in ((background(0x203040) + "scale = 9\n", "vitrine.toml:3:9: must be a number from 0.5 to 4"),
                            (background(0x203040) + '[bindings]\n"Logo+x" = "explode"\n', "vitrine.toml:4:12: action 'explode': there is no such action"),
                            (background(0x203040) + '[keyboard]\nlayout = "nowhere"\n', 'vitrine.toml:4:10: xkbcommon knows no layout "nowhere"'),
                            (background(0x203040) + 'mode = "1x1"\n', "it has no such mode"),
                            ("[output\n", "vitrine.toml:1:8: ")):
            write(text)
            wait_for_line(session, words)
            testing.equal("nothing of the configuration has changed" in logged(session, words)[0], True, "whether the log says so")
        session.screenshot()  # every reload before this has taken effect, if it had one
        wait_for_background(0x102030)
        testing.equal(len(logged(session, "in use now")), 0, "configurations that were taken")
        write(background(0x304050))
        wait_for_background(0x304050)


@on("full")
def what_counts_from_the_next_start_on_says_so():
    with lit_session(background(0x102030)) as session:
        write(background(0x203040) + '[heaps]\noverrides = ""\n')
        wait_for_background(0x203040)
        testing.equal(logged(session, "next start"), [], "what waits for the next start")
        with open(CONFIG, "w", encoding="utf-8") as file:
            file.write(background(0x304050) + '[vulkan]\ndevice = "another"\nvalidation = true\n')
        wait_for_background(0x304050)
        wait_for_line(session, "vulkan.device: counts from the next start on")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
