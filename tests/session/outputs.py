#!/usr/bin/env python3
"""Outputs that come and go, in the guest: two connectors of one display controller, plugged and unplugged by vkms' configfs."""

import contextlib
import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import desk  # noqa: E402
import reference  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
import wayland  # noqa: E402
from connectors import LEFT, RIGHT, board, is_desktop, outputs, plug, switched_away, unplug, video_on, wait_for_outputs  # noqa: E402
from hands import give_gamma  # noqa: E402


@testing.test
def two_outputs_stand_side_by_side_and_share_the_overlays():
    with board(), s.Session() as session:
        both = wait_for_outputs(session, LEFT, RIGHT)
        testing.equal([both[name]["position"] for name in (LEFT, RIGHT)], [[0, 0], [both[LEFT]["width"], 0]], "positions")
        testing.equal(len({both[name]["crtc"] for name in both}), 2, "CRTCs")
        planes = {name: set(both[name]["planes"]) for name in both}
        testing.equal(planes[LEFT] & planes[RIGHT], set(), "planes that both outputs have")
        testing.equal([len(planes[name]) for name in (LEFT, RIGHT)], [4, 4], "planes: a primary, a cursor, two of four overlays")
        testing.equal([is_desktop(0), is_desktop(1)], [True, True], "whether both panels show the desktop")
        unplug(RIGHT)
        one = wait_for_outputs(session, LEFT)
        testing.equal(len(one[LEFT]["planes"]), 6, "planes, after the other output has gone: with all overlays")
        plug(RIGHT)
        both = wait_for_outputs(session, LEFT, RIGHT)
        s.wait_until(lambda: [len(output["planes"]) for output in outputs(session).values()] == [4, 4], "overlays to be shared again")


@testing.test
def windows_come_along_when_the_left_output_is_unplugged():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60))
        testing.equal([video_on(0), video_on(1)], [True, False], "on which panel the video is")
        unplug(LEFT)
        one = wait_for_outputs(session, RIGHT)
        testing.equal(one[RIGHT]["position"], [0, 0], "where the remaining output is")
        s.wait_until(lambda: video_on(1), "the video on the remaining panel")
        if not (s.photograph(1)[:50] == s.DESKTOP).all():
            raise AssertionError("the remaining panel does not show the desktop around the video")
        plug(LEFT)
        wait_for_outputs(session, LEFT, RIGHT)
        s.wait_until(lambda: is_desktop(0), "the desktop on the panel that is back")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_gamma_table_is_for_one_output_until_that_is_unplugged():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        client = wayland.Client(session.environment)
        manager = client.bind("zwlr_gamma_control_manager_v1")
        control = manager.get_gamma_control(client.bind("wl_output", index=1))
        give_gamma(control, client.expect(control, "gamma_size").size, lambda value: 0)
        client.roundtrip()
        s.wait_until(lambda: (s.photograph(1) == 0).all(), "the black table on the right panel")
        testing.equal(is_desktop(0), True, "whether the left panel shows the desktop")
        unplug(RIGHT)
        wait_for_outputs(session, LEFT)
        plug(RIGHT)
        wait_for_outputs(session, LEFT, RIGHT)
        s.wait_until(lambda: is_desktop(1), "the desktop on the panel that is back")
        control.destroy()
        client.roundtrip()


@testing.test
def a_full_screen_window_moves_with_its_output():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60), "--fullscreen")
        unplug(LEFT)
        wait_for_outputs(session, RIGHT)
        s.wait_until(lambda: video_on(1), "the video on the remaining panel")
        shown = s.photograph(1)
        testing.equal((shown[:, 0] == s.DESKTOP).all(axis=1).any(), False, "whether there is desktop beside the video")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_new_window_appears_where_the_user_is_and_fills_the_output_that_it_names():
    with board(), s.Session() as session:
        both = wait_for_outputs(session, LEFT, RIGHT)
        width, height = both[LEFT]["width"], both[LEFT]["height"]
        devices = session.input_devices()
        with contextlib.closing(uinput.PlacedMouse((width + both[RIGHT]["width"], height))) as mouse:
            s.wait_until(lambda: session.input_devices() > devices, "the mouse to be opened")
            first = desk.Window(session, desk.RED, name="first")
            desk.wait_for_box(desk.RED, desk.new_box(0), "the first window, on the first output")
            first.expect("configure", states=["activated"])
            desk.click(mouse, width + 100, 100)  # the desktop of the other one
            first.expect("configure", states=[])
            second = desk.Window(session, desk.BLUE, name="second")
            box = desk.new_box(1)
            desk.wait_for_box(desk.BLUE, box, "the second window, on the second output", lambda: s.photograph(1))
            third = desk.Window(session, desk.GREEN, name="third")  # nobody has clicked meanwhile
            desk.wait_for_box(desk.GREEN, desk.new_box(2), "the third, beside the focused one,", lambda: s.photograph(1))
            third.client.stop()
            desk.wait_for_box(desk.BLUE, box, "the second window alone", lambda: s.photograph(1))
            second.tell("fullscreen-first")
            second.expect("configure", width=width, height=height, states=["fullscreen", "activated"])
            desk.wait_for_box(desk.BLUE, (0, 0, width, height), "the second window, which fills the first output")
            s.wait_until(lambda: desk.box_of(desk.BLUE, lambda: s.photograph(1)) is None, "the second output without it")
            second.tell("unfullscreen")
            desk.wait_for_box(desk.BLUE, box, "the second window, where it was before,", lambda: s.photograph(1))
            desk.wait_for_box(desk.RED, desk.new_box(0), "the first window, seen again")


@testing.test
def all_outputs_may_go_and_come_back():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60))
        unplug(LEFT)
        unplug(RIGHT)
        wait_for_outputs(session)
        plug(RIGHT)
        wait_for_outputs(session, RIGHT)
        s.wait_until(lambda: video_on(0), "the video on the panel that came first, which gets the first CRTC")
        testing.equal(player.running(), True, "the player")


@testing.test
def what_is_plugged_in_while_switched_away_is_lit_afterwards():
    with board(right=False), s.Session() as session:
        wait_for_outputs(session, LEFT)
        with switched_away(session):
            plug(RIGHT)
            testing.equal(sorted(output["name"] for output in session.status()["outputs"]), [LEFT], "outputs, while switched away")
        wait_for_outputs(session, LEFT, RIGHT)
        s.wait_until(lambda: is_desktop(1), "the desktop on the new panel")


@testing.test
def a_first_modeset_that_fails_is_tried_again():
    with board(), s.Session(orders={"modesets_to_fail": 3}) as session:
        wait_for_outputs(session, LEFT, RIGHT)
        testing.equal(session.calls()["modesets_to_fail"], 0, "modesets that were to fail, and are left")
        s.wait_until(lambda: is_desktop(0) and is_desktop(1), "the desktop on both panels")


@testing.test
def a_modeset_that_fails_twice_on_the_way_back_is_tried_again():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60))
        with switched_away(session):
            session.fail("modesets_to_fail", 4)
        wait_for_outputs(session, LEFT, RIGHT)
        testing.equal(session.calls()["modesets_to_fail"], 0, "modesets that were to fail, and are left")
        s.wait_until(lambda: video_on(0) and is_desktop(1), "the right pictures")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_link_that_went_bad_is_trained_again_by_a_modeset():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        before = session.calls()["modesets"]
        session.fail("bad_links", 1)
        plug(LEFT)
        s.wait_until(lambda: session.calls()["modesets"] == before + 1, "a modeset")
        plug(LEFT)  # a good one needs none
        wait_for_outputs(session, LEFT, RIGHT)
        testing.equal((session.calls()["bad_links"], session.calls()["modesets"]), (0, before + 1), "bad links left, and modesets")


@testing.test
def a_headset_is_no_output():
    with board(right=False), s.Session() as session:
        wait_for_outputs(session, LEFT)
        session.fail("headsets", 3)  # both connectors, and what else the device reports
        plug(RIGHT)
        wait_for_outputs(session)
        session.fail("headsets", 0)
        plug(RIGHT)
        wait_for_outputs(session, LEFT, RIGHT)


@testing.test
def an_output_can_be_placed_and_left_out_by_the_configuration():
    with board(), s.Session(config=f'[output.{LEFT}]\nposition = "100,50"\n[output.{RIGHT}]\nenabled = false\n') as session:
        one = wait_for_outputs(session, LEFT)
        testing.equal(one[LEFT]["position"], [100, 50], "position")
        testing.equal(len(session.status()["outputs"]), 2, "outputs, the one that is off among them")


@testing.test
def a_turned_output_shows_everything_upright():
    clip = s.make_clip(frames=1)
    for transform, upright in (("90", lambda p: np.rot90(p, -1)), ("180", lambda p: np.rot90(p, 2)), ("270", np.rot90),
                               ("flipped", np.fliplr), ("flipped-90", lambda p: np.transpose(p, (1, 0, 2)))):
        with board(right=False), s.Session(config=f'[output]\ntransform = "{transform}"\n') as session:
            s.video_on_panel(session, clip)
            panel, screenshot = upright(s.photograph()), session.screenshot()
            testing.equal(panel.shape, screenshot.shape, f"size of a screenshot with {transform}")
            box = s.find_box(panel, screenshot)
            testing.equal(box[2:], (640, 360), f"size of the video on the panel with {transform}")
            worst = reference.largest_difference(s.crop(panel, box), 640, 360, 0)
            if worst > 2:
                raise AssertionError(f"with {transform} the video differs from the reference by {worst:.2f} of 255")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
