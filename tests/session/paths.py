#!/usr/bin/env python3
"""Which path protected video takes on a board ($VITRINE_PROFILE), why, and what panel and screenshot show of it: five cases.

Runs in the guest. What is wanted stands in expected_paths.py; the pixels are judged by reference.py. Leaves the board's rows of the
table in tests/README.md as OUT/paths.md.
"""

import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import frame_bar  # noqa: E402
import reference  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
from expected_paths import CASES, EXPECTED, expected_row, row  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
VIDEO = (640, 360)
TOLERANCE = 2.0  # of 255
LEAST_PSNR = 45.0  # dB, where a filter had a say
COVER, COVER_ALPHA = (0, 128, 0), 128 / 255  # tests/clients/cover.cpp
NOT_APPLICABLE = 77


def over(picture):
    """With the player's --cover over it."""
    return reference.covered(picture, COVER, COVER_ALPHA)


class Case:
    """How a video is played, and what it has to look like.

    arguments: of vitrine-play. clip, shown: its own size, and that on the screen. look: its picture as it has to be seen; upright: from
    what is seen back to where its frame number can be read. filtered: a filter had a say, which may round as it likes.
    """

    def __init__(self, arguments=(), clip=VIDEO, shown=VIDEO, look=lambda picture: picture, upright=lambda seen: seen, filtered=False):
        self.arguments, self.clip, self.shown = arguments, clip, shown
        self.look, self.upright, self.filtered = look, upright, filtered

    def box(self, screen):
        """The desktop places a window in the middle where there is no other."""
        return ((screen[0] - self.shown[0]) // 2, (screen[1] - self.shown[1]) // 2, *self.shown)

    def is_video(self, seen):
        """Whether these pixels are a frame of the video, and what was measured."""
        try:
            number = frame_bar.read_frame_number(self.upright(seen), self.clip[1])
        except frame_bar.NoFrameNumber as reason:
            return False, str(reason)
        made = reference.unlimited_picture if self.filtered else reference.picture
        wanted = [self.look(made(*self.clip, number, way=way)) for way in reference.CHROMA]
        if self.filtered:
            ratio = max(reference.psnr(seen, one) for one in wanted)
            return ratio >= LEAST_PSNR, f"frame {number}, PSNR {ratio:.1f} dB"
        worst = min(float(np.abs(seen.astype(float) - one).max()) for one in wanted)
        return worst <= TOLERANCE, f"frame {number}, {worst:.2f} of 255 away at most"

    def is_placeholder(self, seen):
        """Whether these pixels are the placeholder's colours and no others."""
        return s.only_placeholder(seen)


class CoveredCase(Case):
    """The cover is ordinary content: it lies over the placeholder as over the video."""

    def is_placeholder(self, seen):
        half = seen.shape[1] // 2
        two_pixels = (np.full((1, 2, 3), colour) for colour in s.PLACEHOLDER)
        blended = [over(pixels)[0, 1] for pixels in two_pixels]  # the right one is covered
        near = [np.abs(seen[:, half:] - colour).max(axis=2) <= TOLERANCE for colour in blended]
        return s.only_placeholder(seen[:, :half]) and bool(np.any(near, axis=0).all())


def cases(screen):
    larger, turned = (VIDEO[0] * 3 // 2, VIDEO[1] * 3 // 2), (VIDEO[1], VIDEO[0])
    return {
        "windowed 1:1": Case(),
        "windowed scaled": Case(("--size", f"{larger[0]}x{larger[1]}"), shown=larger, look=lambda picture: reference.scaled(picture, *larger),
                                filtered=True),
        "rotated": Case(("--transform", "90"), shown=turned, look=lambda picture: reference.turned_back(picture, "90"),
                        upright=lambda seen: reference.turned(seen, "90")),
        "half covered": CoveredCase(("--cover",), look=over),
        "fullscreen": Case(("--fullscreen",), clip=screen, shown=screen),
    }


def settle(session, player, shown):
    """Waits until the player's surface, after `shown` others, takes one path for a while; what the compositor says of it."""
    s.wait_until(lambda: len(session.output()["protected_surfaces"]) > shown or not player.running(), "the first protected frame")
    if not player.running():
        raise AssertionError(f"vitrine-play ended with {player.process.returncode}: {player.log()}")

    def same_for_a_while():
        before = session.output()["protected_surfaces"]
        session.wait_for_frames(15)
        after = session.output()["protected_surfaces"]
        return after[-1] if len(before) == len(after) else None

    return s.wait_until(same_for_a_while, "a path that the surface stays on")


def what_is_seen(case, picture, box):
    """`video`, `placeholder` or `desktop`, if it is wholly that; else `wrong`. And what was measured."""
    inside = s.crop(picture, box)
    outside = picture.copy()
    outside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = s.DESKTOP
    if not (outside == s.DESKTOP).all():
        return "wrong", "something else than the desktop around it"
    if (inside == s.DESKTOP).all():
        return "desktop", ""
    if case.is_placeholder(inside):
        return "placeholder", ""
    right, measured = case.is_video(inside)
    return ("video" if right else "wrong"), measured


def observe(session, player, name, case, screen, shown):
    """The table's row of a case, `shown` protected surfaces having been seen before."""
    surface = settle(session, player, shown)
    panel, screenshot = s.photograph(), session.screenshot()
    s.save_png(f"{file_name(name)}-panel.png", panel)
    os.replace(os.path.join(s.OUT, "screenshot.png"), os.path.join(s.OUT, f"{file_name(name)}-screenshot.png"))
    box = case.box(screen)
    on_panel, measured = what_is_seen(case, panel, box)
    on_screenshot, _ = what_is_seen(case, screenshot, box)
    path = "underlay" if surface["underlay"] else surface["path"]
    print(f"# {name}: {path} (plane {surface['plane']}), {surface['evidence']}, {surface['buffer']}: {measured}", flush=True)
    return row(PROFILE, name, path, surface["refusal"], on_panel, on_screenshot)


def observe_without_a_heap(session, player, name):
    """The row where nothing can be played: the player says why, the desktop stays."""
    testing.equal(player.wait(), NOT_APPLICABLE, "status of vitrine-play")
    refusal = player.report()["refusal"]
    seen = ["desktop" if (picture == s.DESKTOP).all() else "wrong" for picture in (s.photograph(), session.screenshot())]
    return row(PROFILE, name, None, refusal, *seen)


def file_name(case):
    return case.replace(" ", "-").replace(":", "-")


def screen_of(session):
    output = session.output()
    return output["width"], output["height"]


class OneSession:
    """The session that the cases share: one start a board. A case that fails ends it, so that the next one has another."""

    def __init__(self):
        self.session = None

    def get(self):
        if self.session is None:
            self.session = s.Session().__enter__()
        return self.session

    def end(self, *failure):
        ended, self.session = self.session, None
        if ended is not None:
            ended.__exit__(*(failure or (None, None, None)))


SHARED = OneSession()


def see(session, name):
    """The table's row of a case, as it is seen now. Its player ends before the next case begins."""
    screen = screen_of(session)
    case = cases(screen)[name]
    clip = s.make_clip(f"{case.clip[0]}x{case.clip[1]}", name=f"clip-{case.clip[0]}")
    shown = len(session.output()["protected_surfaces"])
    player = session.play(clip, "--loop", *case.arguments, name=f"player-{file_name(name)}")
    if EXPECTED[PROFILE][CASES.index(name)][0] is None:
        return observe_without_a_heap(session, player, name)
    got = observe(session, player, name, case, screen, shown)
    testing.equal(player.stop(), 0, "status of vitrine-play")
    return got


def run(name):
    try:
        got = see(SHARED.get(), name)
    except BaseException:
        SHARED.end(*sys.exc_info())
        raise
    with open(os.path.join(s.OUT, "paths.md"), "a", encoding="utf-8") as file:
        file.write(got + "\n")
    testing.equal(got, expected_row(PROFILE, name), "row")


def the_session_ended_well():
    if SHARED.session is None:
        raise AssertionError("no case has left its session to be ended")
    SHARED.end()


def test_of(name):
    def test():
        run(name)

    test.__name__ = file_name(name)
    return test


if __name__ == "__main__":
    for wanted in CASES:
        testing.test(test_of(wanted))
    testing.test(the_session_ended_well)
    testing.main(sys.argv[1:])
