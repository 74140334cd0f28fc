#!/usr/bin/env python3
"""vitrine-play and vitrine-pack, in the guest: what the player says where it cannot play, and clips of every kind."""

import contextlib
import os
import subprocess
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
from vendor_heaps import UNPROVEN_HEAPS  # noqa: E402
from session import video_on_panel  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
NOT_APPLICABLE = 77


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


@on(*UNPROVEN_HEAPS)
def nothing_is_decrypted_into_a_heap_that_maps_and_the_player_says_why():
    heap = UNPROVEN_HEAPS[PROFILE]
    clip = s.make_clip()
    with s.Session() as session:
        for name, arguments in (("player", ()), ("named", ("--heap", heap))):
            player = session.play(clip, *arguments, name=name)
            testing.equal(player.wait(), NOT_APPLICABLE, "status of vitrine-play")
            testing.equal(player.report()["refusal"], "HeapUnproven", "refusal")
            wanted = f"allocate from /dev/dma_heap/{heap}: HeapUnproven: the heap's name says protected, but its buffers can be mapped"
            if wanted not in player.log():
                raise AssertionError(f"the player does not say why: {player.log()}")
            calls = session.player_calls(name)
            testing.equal((calls["heap_allocations"], calls["protected_map_attempts"]), (1, 0), "allocations and maps of the player")
            testing.equal(calls["tee_invocations"], 0, "calls of the player into the TEE")


@on("no-supplicant")
def without_tee_supplicant_the_player_takes_what_is_built_in():
    with s.Session() as session:
        player = video_on_panel(session, s.make_clip())
        testing.equal(player.stop(), 0, "status of vitrine-play")
        testing.equal(player.report()["application"], "sdp-basic", "application")


@on("no-supplicant")
def an_application_that_never_opens_holds_up_nobody():
    with s.Session() as session:
        player = session.play(s.make_clip(), "--application", "frame-decrypt")
        testing.equal(player.wait(), 1, "status of vitrine-play")
        wanted = "no answer in 2 s; is tee-supplicant running?"
        if wanted not in player.log():
            raise AssertionError(f"the player does not say `{wanted}`: {player.log()}")
        for i in range(3):  # the TEE has two threads
            player = session.play(s.make_clip(), "--application", "frame-decrypt", name=f"player-{i}")
            s.wait_until(lambda: has_child(player.process.pid), "a player that waits for the TEE")
            testing.equal(player.stop(), 0, "status of a player that was told to end")
            testing.equal(player.report()["ended_by"], "signal", "what ended it")
        video_on_panel(session, s.make_clip())


def has_child(parent):
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{entry.name}/stat", encoding="utf-8") as stat:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == parent:
                    return True
    return False


@on("no-heap")
def without_a_heap_the_player_says_so_and_the_desktop_runs():
    with s.Session() as session:
        clip = s.make_clip()
        player = session.play(clip)
        testing.equal(player.wait(), NOT_APPLICABLE, "status of vitrine-play")
        if "no heap of class protected" not in player.log() or "HeapAbsent" not in player.log():
            raise AssertionError(f"the player does not say which heaps are missing: {player.log()}")
        session.start("desktop", "foot", "--config=/dev/null", "echo", "hello")
        session.start("terminal", "foot", "--config=/dev/null", "sleep", "1000")

        def same_and_not_empty():  # windows come and go
            panel, screenshot = s.photograph(), session.screenshot("desktop.png")
            return (screenshot != s.DESKTOP).any() and np.array_equal(panel, screenshot)

        s.wait_until(same_and_not_empty, "a window on the desktop, the same on panel and screenshot")


@on("tiny-pool")
def a_small_pool_is_played_with_fewer_buffers_or_not_at_all():
    with s.Session() as session:
        # 8 MiB hold 2 frames of 1920x1080 NV12 and no third.
        player = video_on_panel(session, s.make_clip("1920x1080", frames=4, name="large"))
        player.stop()
        report = player.report()
        testing.equal((report["buffers"], report["buffers_wanted"], report["buffers_needed"]), (2, 3, 2), "buffers got, wanted, needed")
        words = "heap protected,secure-video gave 2 of 3 buffers; playing with those (it needs 2)"
        if words not in player.log():
            raise AssertionError(f"the player does not say '{words}': {player.log()}")
        for size, got in (("2560x1600", 1), ("3840x2160", 0)):
            player = session.play(s.make_clip(size, frames=2, name=size), name=size)
            testing.equal(player.wait(), 1, f"status of playing {size} from 8 MiB")
            report = player.report()
            testing.equal((report["refusal"], report["buffers"], report["buffers_wanted"], report["buffers_needed"]),
                          ("HeapExhausted", got, 3, 2), f"refusal, and buffers got, wanted, needed for {size}")
            words = f"got {got} of 3 buffers and needs 2 at least"
            for where, text in (("the player", player.log()), ("its report", report["error"])):
                if words not in text:
                    raise AssertionError(f"{where} does not say '{words}': {text}")
        session.wait_for_frames(0)
        player = video_on_panel(session, s.make_clip())
        player.stop()
        report = player.report()
        testing.equal((report["buffers"], report["buffers_wanted"], report["buffers_needed"]), (3, 3, 2), "the same where there is room")
        testing.equal("playing with those" in player.log(), False, "whether the player complains")


@on("full")
def any_video_that_ffmpeg_reads_can_be_packed_and_shown():
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=c=red:size=320x240:rate=30:duration=1",
                    "-c:v", "mpeg4", "/tmp/red.mp4"], check=True, capture_output=True, timeout=60)
    subprocess.run(["vitrine-pack", "/tmp/red.mp4", "--encoding", "bt709", "--range", "limited", "-o", "/tmp/red.vclip"],
                   check=True, capture_output=True, timeout=60)
    with s.Session() as session:
        video_on_panel(session, "/tmp/red.vclip")
        panel, screenshot = s.photograph(), session.screenshot()
        box = s.find_box(panel, screenshot)
        testing.equal(box[2:], (320, 240), "size of the video on the panel")
        shown = s.crop(panel, box).reshape(-1, 3).astype(int)
        if np.abs(shown - (255, 0, 0)).max() > 6:  # ffmpeg's and the codec's own rounding come before ours
            raise AssertionError(f"red is shown as {shown.min(axis=0)} to {shown.max(axis=0)}")


@on("full")
def damaged_clips_are_refused_by_name():
    clip = s.make_clip(frames=10, name="whole")
    whole = open(clip, "rb").read()
    key = open(clip + ".key", "rb").read()

    def broken(name, data):
        path = f"/tmp/{name}.vclip"
        for where, content in ((path, data), (path + ".key", key)):
            with open(where, "wb") as file:
                file.write(content)
        return path

    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    cases = {  # what the player says, and with which status: 2, the input is wrong
        "it is cut short: 9 of 10 frames are whole": [broken("short", whole[:-1000])],
        "it is not a clip": [broken("text", b"hello, world" * 100)],
        "its MAC does not fit: it is damaged": [broken("flipped", bytes(flipped))],
        "its key is another one": [clip, "--key-hex", "00" * 16],
    }
    with s.Session() as session:
        for number, (words, arguments) in enumerate(cases.items()):
            player = session.start(f"damaged-{number}", "vitrine-play", *arguments)
            testing.equal((player.wait(), words in player.log()), (2, True), f"status, and whether it says '{words}'")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
