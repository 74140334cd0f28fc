#!/usr/bin/env python3
"""What a session survives, in the guest: another session, a GPU reset, late fences, protected content that comes and goes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
from PIL import Image

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import frame_bar  # noqa: E402
import reference  # noqa: E402
import seat  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
WIDTH, HEIGHT = 640, 360
TOLERANCE = 2.0  # of 255


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


def play(session, *arguments):
    player = session.play(s.make_clip(fps=60), "--loop", *arguments)
    s.wait_until(lambda: session.output()["protected_surfaces"] or not player.running(), "the first protected frame")
    session.wait_for_frames(5)
    return player


def assert_right(session):
    """The panel shows a frame of the video, as it has to be, and a screenshot the placeholder."""
    panel, screenshot = s.photograph(), session.screenshot()
    box = s.find_box(panel, screenshot)
    if box is None:
        raise AssertionError("panel and screenshot are the same: the screenshot shows the video, or the panel does not")
    testing.equal(box[2:], (WIDTH, HEIGHT), "size of the video on the panel")
    shown = s.crop(panel, box)
    worst = reference.largest_difference(shown, WIDTH, HEIGHT, frame_bar.read_frame_number(shown))
    if worst > TOLERANCE:
        raise AssertionError(f"the video differs from the reference by {worst:.2f} of 255")
    if not s.only_placeholder(s.crop(screenshot, box)):
        raise AssertionError("the screenshot shows something else than the placeholder")


def protected_buffers():
    """How many buffers of the protected heap there are in the whole system (debugfs; root)."""
    with open("/sys/kernel/debug/dma_buf/bufinfo", encoding="utf-8", errors="replace") as file:
        return len(re.findall(r"^\d+\s+\d+\s+\d+\s+\d+\s+tee\b", file.read(), re.MULTILINE))


def path_of_video(session):
    """The video's path and why it is on no plane, as the audit last had it; None before its first frame."""
    told = re.findall(r"surface\.path .*?path=(\w+) refusal=(\w+)", session.compositor.log())
    return told[-1] if told else None


@on("full", "gpu-only")
def another_session_sees_nothing_and_back_it_is_all_there():
    with s.Session() as session:
        player = play(session)
        keyboard, other = uinput.Keyboard(), seat.OtherSession()
        key = f"f{other.number}"
        try:
            if "vitrine" not in seat.framebuffers():
                raise AssertionError(f"no framebuffer of vitrine's is known: {seat.framebuffers()}")
            s.wait_until(lambda: (keyboard.chord("ctrl", "alt", key), other.dispatch(200), other.active)[2], "the switch")
            display = other.open_display()
            s.wait_until(lambda: "vitrine" not in seat.framebuffers(), "vitrine's framebuffers to be gone")
            testing.equal(session.output()["in_protected_memory"], False, "whether the composed buffers are protected still")
            os.close(display)
            other.close()
            before = session.output()["frames_presented"]
            s.wait_until(lambda: session.output()["frames_presented"] > before + 5, "frames after the switch back")
            assert_right(session)
            testing.equal(player.running(), True, "the player")
            if session.compositor.log().count("composing in protected memory") != (2 if PROFILE == "gpu-only" else 0):
                raise AssertionError("protected output buffers were not let go and made again")
        finally:
            other.close()
            keyboard.close()


@on("full")
def what_failed_in_passing_is_tried_again_by_itself():
    with s.Session() as session:
        session.fail("tests_to_fail", 1_000_000_000)
        player = session.play(s.make_clip(fps=60), "--loop")
        s.wait_until(lambda: path_of_video(session) == ("composited", "PlaneTestRefused"), "a video that no test lets on a plane")
        player.process.send_signal(signal.SIGSTOP)  # no frame of its own from here on
        session.fail("tests_to_fail", 0)
        s.wait_until(lambda: path_of_video(session) == ("plane", "None"), "the video on a plane, after tests that failed")
        with contextlib.closing(uinput.Mouse()) as mouse:
            session.fail("commits_to_fail", 1)

            def failed():
                mouse.move(3, 2)
                return "refusal=PlaneCommitFailed" in session.compositor.log()

            s.wait_until(failed, "a commit that fails")
            s.wait_until(lambda: path_of_video(session) == ("plane", "None"), "the video on a plane, after a commit that failed")
        player.process.send_signal(signal.SIGCONT)
        session.wait_for_frames(5)
        assert_right(session)
        testing.equal(player.stop(), 0, "status of vitrine-play")


@on("gpu-only")
def a_gpu_reset_costs_a_few_frames_and_nothing_else():
    os.environ["VITRINE_GPU_RESET_AT"] = "30,60"
    printed = os.path.join(s.OUT, "printed")
    try:
        with s.Session() as session:
            session.start("desktop", "foot", "--config=/dev/null", "--window-size-pixels=400x200", "sh", "-c",
                          f"cat /vitrine/README.md; touch {printed}; exec sleep 100000")
            s.wait_until(lambda: session.output()["frames_presented"], "the first frame")

            def at_rest():  # seen by the camera, which has the GPU do nothing: what it does is counted
                first = s.photograph()
                time.sleep(0.5)
                return os.path.exists(printed) and (first != s.DESKTOP).any() and np.array_equal(first, s.photograph())

            s.wait_until(at_rest, "a terminal at rest")
            before = session.screenshot("before.png")
            testing.equal(session.output()["gpu_resets"], 0, "resets before the video")
            player = play(session)
            s.wait_until(lambda: session.output()["gpu_resets"] >= 2, "two resets", 120)
            session.wait_for_frames(30)
            assert_right(session)
            player.stop()
            s.wait_until(lambda: (session.screenshot("after.png") == before).all(), "the terminal's window as it was before the resets")
            hidden = sum(surface["frames"] for surface in session.output()["protected_surfaces"] if surface["path"] == "placeholder")
            if hidden > 6:
                raise AssertionError(f"{hidden} frames of placeholder for two resets")
    finally:
        del os.environ["VITRINE_GPU_RESET_AT"]


@on("full")
def a_gpu_that_stays_away_leaves_planes_and_a_session():
    os.environ |= {"VITRINE_GPU_RESET_AT": "30", "VITRINE_GPU_STAYS_GONE": "1"}
    try:
        with s.Session(validated=False) as session:
            session.start("desktop", "foot", "--config=/dev/null", "sh", "-c", "yes vitrine")
            s.wait_until(lambda: "next attempt in" in session.compositor.log(), "the loss of the GPU", 120)
            player = session.play(s.make_clip(fps=60), "--loop")
            s.wait_until(lambda: path_of_video(session) == ("plane", "None"), "the video on a plane")
            session.wait_for_frames(30)
            shown = s.photograph()
            testing.equal(len(np.unique(shown.reshape(-1, 3), axis=0)) > 10, True, "whether the panel shows a video")
            keyboard, other = uinput.Keyboard(), seat.OtherSession()
            try:
                key = f"f{other.number}"
                s.wait_until(lambda: (keyboard.chord("ctrl", "alt", key), other.dispatch(200), other.active)[2], "the switch")
                other.close()
                before = session.output()["frames_presented"]
                s.wait_until(lambda: session.output()["frames_presented"] > before + 5, "frames after the switch back")
            finally:
                other.close()
                keyboard.close()
            frames = session.output()["frames_presented"]
            attempts = session.compositor.log().count("next attempt in")
            if attempts > frames / 4:
                raise AssertionError(f"{attempts} attempts to set the GPU up again in {frames} frames")
            testing.equal(player.running(), True, "the player")
    finally:
        del os.environ["VITRINE_GPU_RESET_AT"], os.environ["VITRINE_GPU_STAYS_GONE"]


@on("gpu-only")
def output_buffers_are_protected_only_while_they_have_to_be():
    with s.Session() as session:
        testing.equal((session.output()["in_protected_memory"], protected_buffers()), (False, 0), "at first")
        player = play(session)
        testing.equal(session.output()["in_protected_memory"], True, "with a video")
        played = protected_buffers()
        assert_right(session)
        player.stop()
        s.wait_until(lambda: not session.output()["in_protected_memory"], "ordinary memory again")
        s.wait_until(lambda: protected_buffers() == 0, f"the {played} protected buffers to be given back")
        if (s.photograph() != session.screenshot()).any():
            raise AssertionError("panel and screenshot differ, with nothing protected to hide")
        play(session)
        assert_right(session)


@on("gpu-only")
def the_first_composed_video_needs_no_new_pipeline():
    with s.Session(arguments=["--log", "info,render=debug"]) as session:
        s.wait_until(lambda: "pipelines are made" in session.compositor.log(), "the pipelines to be made")
        prepared = session.status()["vulkan"]["pipelines"]
        play(session)
        assert_right(session)
        testing.equal((session.output()["in_protected_memory"], session.status()["vulkan"]["pipelines"]), (True, prepared), "pipelines")


@on("gpu-only")
def the_public_view_is_drawn_only_for_who_captures():
    with s.Session() as session:
        play(session)
        views = session.output()["public_views"]
        session.wait_for_frames(10)
        testing.equal(session.output()["public_views"], views, "public views drawn, with nobody to capture them")
        session.screenshot()
        captured = session.output()["public_views"]
        if not views < captured <= views + 3:
            raise AssertionError(f"{captured - views} public views for one screenshot")
        session.wait_for_frames(10)
        testing.equal(session.output()["public_views"], captured, "public views drawn after the screenshot")


@on("full", "gpu-only")
def a_capture_into_a_dmabuf_shows_the_placeholder():
    with s.Session() as session:
        play(session)
        panel = s.photograph()
        client = session.start("capture", "capture-client", os.path.join(s.OUT, "capture.ppm"))
        testing.equal(client.wait(), 0, f"status of capture-client ({client.log()})")
        captured = np.asarray(Image.open(os.path.join(s.OUT, "capture.ppm")).convert("RGB"))
        box = s.find_box(panel, captured)
        testing.equal(box[2:], (WIDTH, HEIGHT), "size of what the capture does not show")
        if not s.only_placeholder(s.crop(captured, box)):
            raise AssertionError("the capture shows something else than the placeholder")


def late_client(session, *arguments, name="sync"):
    """A sync-client, once it has given its account."""
    client = session.start(name, "sync-client", *arguments, stdin=subprocess.PIPE)
    s.wait_until(lambda: client.log().strip() or not client.running(), "the client's account")
    client.account = json.loads(client.log().strip().splitlines()[-1])
    return client


def end(client):
    client.process.stdin.close()
    testing.equal(client.wait(), 0, f"status of {client.name} ({client.log()})")


@on("full")
def a_commit_takes_effect_when_its_fence_has_signalled():
    seen = {"first_presented": True, "presented_before_its_fence": False, "second_presented": True}
    explicit = {"released_before_replaced": False, "first_released": True, "second_released_while_shown": False}
    for how, account in (((), seen | explicit), (("--implicit",), seen)):
        for size in ((), ("--fullscreen", "--width", "1024", "--height", "768")):  # composed, and on a plane
            with s.Session() as session:
                client = late_client(session, "--late", "1", "--hold", *how, *size)
                if not size:
                    # What was composed is not needed any more: the first picture may be released before the second is shown.
                    client.account = client.account | ({"released_before_replaced": False} if not how else {})
                testing.equal(client.account, account, f"what sync-client {how} {size} saw")
                panel = s.photograph()
                if not (panel == (0, 0, 0xC8)).all(axis=2).any() or (panel == (0, 0xC8, 0)).all(axis=2).any():
                    raise AssertionError("the panel does not show what was drawn before the fence signalled, or what was there before it")
                end(client)


@on("full", "gpu-only")
def while_one_client_is_late_it_keeps_its_picture_and_the_others_go_on():
    for how in ((), ("--implicit",)):
        with s.Session() as session:
            clients = [late_client(session, "--never", *how, *size, name=f"late-{len(size)}")
                       for size in ((), ("--width", "1000", "--height", "700"))]
            player = play(session)
            devices = session.input_devices()
            with contextlib.closing(uinput.Mouse()) as mouse:
                s.wait_until(lambda: session.input_devices() > devices, "the mouse to be opened")
                session.wait_for_frames(30)
                player.process.send_signal(signal.SIGSTOP)
                for _ in range(10):  # each motion is one frame, and there is no other
                    before = session.output()["frames_presented"]
                    mouse.move(3, 2)
                    s.wait_until(lambda: session.output()["frames_presented"] > before, "the frame of a motion", 60)
            panel = s.photograph()
            if not (panel == (0xC8, 0, 0)).all(axis=2).any() or (panel == (0, 0xC8, 0)).all(axis=2).any():
                raise AssertionError("the panel does not show the late client's first picture")
            player.process.send_signal(signal.SIGCONT)
            session.screenshot()
            for client in clients:
                end(client)
            session.wait_for_frames(5)


@on("full")
def a_syncobj_that_is_reset_while_a_commit_waits_harms_that_client_alone():
    with s.Session() as session:
        client = late_client(session, "--reset")
        testing.equal(client.account, {"first_presented": True}, "what sync-client saw")
        player = play(session)
        session.wait_for_frames(30)
        testing.equal(player.running(), True, "the player")
        end(client)


if __name__ == "__main__":
    testing.main(sys.argv[1:])
