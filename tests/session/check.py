#!/usr/bin/env python3
"""What each board is for, in the guest: `check.py` runs the tests that the profile ($VITRINE_PROFILE) is for."""

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
from session import video_on_panel  # noqa: E402
from vendor_heaps import LEGACY_HEAPS, UNPROVEN_HEAPS  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
SANITIZED = os.environ["VITRINE_BUILD"].endswith("asan")
WIDTH, HEIGHT = 640, 360
TOLERANCE = 2.0  # of 255


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


def last_surface(session):
    return session.output()["protected_surfaces"][-1]


def assert_right(panel, box, frame=None, **how):
    testing.equal(box[2:], (WIDTH, HEIGHT), "size of the video on the panel")
    shown = s.crop(panel, box)
    number = frame_bar.read_frame_number(shown)
    if frame is not None:
        testing.equal(number, frame, "frame on the panel")
    worst = reference.largest_difference(shown, WIDTH, HEIGHT, number, **how)
    if worst > TOLERANCE:
        raise AssertionError(f"frame {number} differs from the reference by {worst:.2f} of 255")


@on("full", "plane-only", "no-gpu")
def video_on_the_panel_is_right_and_screenshots_show_the_placeholder():
    with s.Session() as session:
        player = video_on_panel(session, s.make_clip())
        panel, screenshot = s.photograph(), session.screenshot()
        s.save_png("panel.png", panel)
        box = s.find_box(panel, screenshot)
        if box is None:
            raise AssertionError("panel and screenshot are the same: the screenshot shows the video, or the panel does not")
        assert_right(panel, box)
        if not s.only_placeholder(s.crop(screenshot, box)):
            raise AssertionError("the screenshot shows something else than the placeholder")
        outside = np.ones(panel.shape[:2], bool)
        outside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = False
        if not (panel[outside] == s.DESKTOP).all() or not (screenshot[outside] == s.DESKTOP).all():
            raise AssertionError("outside the video there is something else than the desktop")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["refusal"], surface["evidence"]), ("plane", None, "KernelProtected"), "surface")
        testing.equal(player.stop(), 0, "status of vitrine-play")
        report = player.report()
        testing.equal(report["heap"], "protected,secure-video", "heap")
        if report["zero_copy"] == 0:
            raise AssertionError("no frame was presented as zero-copy")
        for who, calls in (("vitrine", session.calls()), ("vitrine-play", session.player_calls())):
            testing.equal(calls["protected_map_attempts"], 0, f"attempts of {who} to map a protected buffer")
        if session.player_calls()["heap_allocations"] == 0:
            raise AssertionError("the call counter saw no allocation from a heap: it does not count")


@on("no-gpu")
def without_a_gpu_no_vulkan_driver_is_loaded():
    with s.Session() as session:
        video_on_panel(session, s.make_clip())
        session.screenshot()
        report = session.status()
        with open(f"/proc/{session.compositor.process.pid}/maps", encoding="ascii") as maps:
            loaded = sorted({line.split("/")[-1].strip() for line in maps if "/" in line})
        testing.equal([name for name in loaded if re.search(r"libvulkan_|LLVM|VkLayer|gallium", name)], [], "drivers and layers in memory")
        testing.equal((report["vulkan"]["device"], report["vulkan"]["refusal"]), ("CPU", "GpuAbsent"), "who composes")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["compose_refusal"]), ("plane", "GpuAbsent"), "surface")


def chroma_is_even(panel, box, transform="normal"):
    """Where it does not matter for the picture on the panel whether chroma is interpolated: the desktop, and a video without edges."""
    frame = frame_bar.read_frame_number(reference.turned(s.crop(panel, box), transform))
    pictures = [reference.picture(WIDTH, HEIGHT, frame, way=way) for way in reference.CHROMA]
    even = np.abs(pictures[0] - pictures[1]).max(axis=2) < 0.5
    testing.equal(even.mean() > 0.5, True, "whether most of the video has no edges of chroma")
    mask = np.ones(panel.shape[:2], bool)
    mask[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = reference.turned_back(even, transform)
    return mask


@on("full")
def composed_and_on_a_plane_a_video_is_the_same_but_for_edges_of_chroma():
    shown = {}
    clip = s.make_clip(frames=1)
    for use in ("auto", "composite"):
        with s.Session(config=f'[output]\nplanes = "{use}"\n') as session:
            video_on_panel(session, clip)
            surface = last_surface(session)
            testing.equal(surface["path"], {"auto": "plane", "composite": "composited"}[use], f"path with planes = {use}")
            panel, screenshot = s.photograph(), session.screenshot()
            box = s.find_box(panel, screenshot)
            assert_right(panel, box, way=surface["path"])
            if not s.only_placeholder(s.crop(screenshot, box)):
                raise AssertionError("the screenshot shows something else than the placeholder")
            shown[use] = panel.astype(int)
    worst = np.abs(shown["auto"] - shown["composite"])[chroma_is_even(shown["auto"], box)].max()
    print(f"# composed and on a plane differ by {worst} of 255 at most", flush=True)
    if worst > 1:
        raise AssertionError(f"composed and on a plane differ by {worst} of 255")


@on("full")
def covered_and_turned_it_is_the_same_too():
    clip, wrong, transforms = s.make_clip(frames=1), [], ("90", "180", "270", "flipped", "flipped-90", "flipped-180", "flipped-270")
    for arguments in (("--cover",), *(("--transform", transform) for transform in transforms)):
        shown = {}
        for use, path in (("auto", "plane"), ("composite", "composited")):
            with s.Session(config=f'[output]\nplanes = "{use}"\n') as session:
                video_on_panel(session, clip, *arguments)
                testing.equal(last_surface(session)["path"], path, f"path with {arguments} and planes = {use}")
                shown[use], screenshot = s.photograph().astype(int), session.screenshot()
            box = s.find_box(shown[use], screenshot)
        transform = arguments[1] if len(arguments) > 1 else "normal"
        worst = np.abs(shown["auto"] - shown["composite"])[chroma_is_even(shown["auto"], box, transform)].max()
        print(f"# {' '.join(arguments)}: composed and on a plane differ by {worst} of 255 at most", flush=True)
        if worst > 1:
            wrong.append(f"{worst} of 255 with {' '.join(arguments)}")
    if wrong:
        raise AssertionError(f"composed and on a plane differ by {'; '.join(wrong)}")


@on("full")
def a_configuration_for_planes_alone_is_obeyed():
    with s.Session(config='[output]\nplanes = "plane"\n') as session:
        video_on_panel(session, s.make_clip(), "--size", "960x540")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["refusal"]), ("placeholder", "PlaneScaling"), "scaled, which the GPU could do")
        testing.equal(session.output()["in_protected_memory"], False, "whether anything is composed in protected memory")


@on("full", "plane-only")
def the_call_counter_sees_a_map_of_a_protected_buffer():
    # The zero of the test above means something only if one is counted: a program that tries, and is refused with EINVAL.
    program = """
import array, ctypes, fcntl, mmap, os, struct
heap = os.open("/dev/dma_heap/protected,secure-video", os.O_RDWR)
request = bytearray(struct.pack("<QIIQ", 4096, 0, os.O_RDWR | os.O_CLOEXEC, 0))
fcntl.ioctl(heap, 0xC0184800, request)
fd = struct.unpack("<QIIQ", request)[1]
try:
    mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
except OSError as error:
    print(error.errno)
"""
    path = "/tmp/mapper-calls"
    import call_counter

    got = subprocess.run([sys.executable, "-c", program], env=call_counter.environment(path), capture_output=True, text=True, check=True)
    testing.equal(got.stdout.strip(), "22", "errno of the map (EINVAL)")
    calls = call_counter.read(path)
    testing.equal((calls["protected_map_attempts"], calls["protected_maps"], calls["heap_allocations"]), (1, 0, 1), "what was counted")


def measure(session, frames):
    """What the compositor asked for while about `frames` frames of nothing but video were shown. Reads no status meanwhile."""
    before = session.calls()
    s.wait_until(lambda: session.calls()["atomic_commits"] >= before["atomic_commits"] + frames, f"{frames} frames", 60 + frames / 20)
    after = session.calls()
    return {name: after[name] - before[name] for name in before}


@on("full")
def while_only_the_video_changes_a_frame_is_one_commit_and_nothing_else():
    with s.Session(validated=False) as session:
        video_on_panel(session, s.make_clip(fps=60))
        session.wait_for_frames(60)
        at_first = session.calls()
        before = session.output()
        spent = measure(session, 300)
        after = session.output()
        counted = session.calls()["atomic_commits"] - at_first["atomic_commits"]
        for name in ("test_only_commits", "vulkan_submits", "vulkan_allocations", "buffer_allocations", "framebuffers_added", "maps"):
            if at_first[name] == 0:
                raise AssertionError(f"no {name} until the video played: the call counter does not count them")
        for name in ("test_only_commits", "vulkan_submits", "vulkan_allocations", "buffer_allocations", "framebuffers_added",
                     "heap_allocations", "maps"):
            testing.equal(spent[name], 0, f"{name} in {spent['atomic_commits']} frames")
        # One commit a frame: commits and flips may differ by the one on its way at either end.
        commits = after["atomic_commits"] - before["atomic_commits"]
        flips = after["frames_presented"] - before["frames_presented"]
        if abs(commits - flips) > 1:
            raise AssertionError(f"{commits} commits for {flips} frames")
        # Calls were counted from within the time of these frames, and from around it.
        if not spent["atomic_commits"] - 1 <= flips <= counted + 1:
            raise AssertionError(f"{spent['atomic_commits']} to {counted} calls of DRM_IOCTL_MODE_ATOMIC for {flips} frames")
        if not SANITIZED:
            per_frame = spent["allocations_by_new"] / spent["atomic_commits"]
            print(f"# operator new: {spent['allocations_by_new']} in {spent['atomic_commits']} frames", flush=True)
            if per_frame > 0.01:
                raise AssertionError(f"{per_frame:.2f} allocations by operator new per frame")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@on("full")
def memory_and_files_stay_flat():
    frames = int(os.environ.get("VITRINE_SOAK_FRAMES", "10000"))
    with s.Session(validated=False) as session:
        video_on_panel(session, s.make_clip(fps=60))
        session.wait_for_frames(120)
        pid = session.compositor.process.pid
        memory, files = resident_kib(pid), open_files(pid)
        measure(session, frames)
        grown, more = resident_kib(pid) - memory, open_files(pid) - files
        print(f"# after {frames} frames: {grown} KiB, {more} files", flush=True)
        testing.equal(more, 0, "files more than before")
        # A sanitizer keeps what was freed for a while, on purpose: its memory says nothing.
        if grown > 256 and not SANITIZED:
            raise AssertionError(f"{grown} KiB more than before")


@on("full")
def a_protected_buffer_is_recognised_without_its_flag():
    with s.Session() as session:
        video_on_panel(session, s.make_clip(), "--flag", "never")
        testing.equal(last_surface(session)["evidence"], "KernelProtected", "evidence")
        box = s.find_box(s.photograph(), session.screenshot())
        if box is None:
            raise AssertionError("a screenshot shows the video")


@on("full")
def a_board_with_optee_tests_application_alone_plays_too():
    with s.Session() as session:
        player = video_on_panel(session, s.make_clip(), "--application", "sdp-basic")
        panel = s.photograph()
        assert_right(panel, s.find_box(panel, session.screenshot()))
        testing.equal(player.stop(), 0, "status of vitrine-play")
        testing.equal(player.report()["application"], "sdp-basic", "application")


@on("full")
def bad_clients_get_their_errors_and_harm_nobody():
    wrong = []
    with s.Session() as session:
        player = video_on_panel(session, s.make_clip())
        cases = subprocess.run(["bad-client", "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
        for line in cases:
            name, _, logged = line.split("\t")
            before = len(session.compositor.log())
            client = session.start("bad-" + name, "bad-client", name)
            status = client.wait()
            killed = name == "killed-mid-flip" and status == -signal.SIGKILL
            if status != 0 and not killed:
                wrong.append(f"{name}: {client.log().strip()}")
            log = re.sub(r"\b(fd |inode=)\d+", r"\1N", session.compositor.log()[before:])
            if logged not in log or (not logged and " warning " in log):
                wrong.append(f"{name}: the log does not say '{logged or 'nothing'}', but: {log.strip()}")
        if wrong:
            raise AssertionError("; ".join(wrong))
        print(f"# {len(cases)} cases", flush=True)
        testing.equal(player.running(), True, "the player that runs meanwhile")
        session.wait_for_frames(10)


@on("full")
def an_ordinary_buffer_with_a_claim_is_kept_from_the_gpu():
    with s.Session() as session:
        session.screenshot()  # imports what composing and capturing need
        imports, allocations = session.status()["vulkan"]["imports"], session.calls()["buffer_allocations"]
        client = session.start("claimer", "bad-client", "claim-on-ordinary", "--hold", stdin=subprocess.PIPE)
        s.wait_until(lambda: session.output()["protected_surfaces"], "the claimed surface")
        surface = last_surface(session)
        testing.equal(surface["evidence"], "Claimed", "evidence")
        testing.equal(session.status()["vulkan"]["imports"], imports, "imports of what is composed, with the claimed buffer")
        screenshot = session.screenshot()
        # A capture's memory stays for a second. After that, the next one allocates and imports its own.
        allocated = session.calls()["buffer_allocations"] - allocations
        testing.equal(session.status()["vulkan"]["imports"] - imports, allocated, "imports with the screenshot, whose own memory is one")
        colours = {tuple(int(c) for c in pixel) for pixel in np.unique(screenshot.reshape(-1, 3), axis=0)}
        testing.equal(colours, s.PLACEHOLDER | {s.DESKTOP}, "colours on the screenshot")
        client.process.stdin.close()
        testing.equal(client.wait(), 0, "status of the client")


@on(*LEGACY_HEAPS)
def a_vendors_heap_is_proven_by_its_refusal_to_be_mapped():
    with s.Session(counted=False) as session:
        player = video_on_panel(session, s.make_clip(), "--flag", "never")
        panel, screenshot = s.photograph(), session.screenshot()
        box = s.find_box(panel, screenshot)
        if box is None:
            raise AssertionError("panel and screenshot are the same: the screenshot shows the video, or the panel does not")
        assert_right(panel, box)
        if not s.only_placeholder(s.crop(screenshot, box)):
            raise AssertionError("the screenshot shows something else than the placeholder")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["refusal"], surface["evidence"]), ("plane", None, "Unmappable"), "surface")
        testing.equal(player.stop(), 0, "status of vitrine-play")
        testing.equal(player.report()["heap"], LEGACY_HEAPS[PROFILE], "heap")
        testing.equal(session.player_calls()["protected_map_attempts"], 0, "attempts of vitrine-play to map a protected buffer")


@on(*UNPROVEN_HEAPS, *LEGACY_HEAPS)
def an_ordinary_clients_contiguous_buffer_stays_ordinary():
    with s.Session() as session:
        session.start("client", "bad-client", "protected-unflagged", "--heap", "default_cma_region", "--hold", stdin=subprocess.PIPE)
        s.wait_until(lambda: (session.screenshot() != s.DESKTOP).any(), "the client's window in a screenshot")
        panel, screenshot = s.photograph(), session.screenshot()
        if s.find_box(panel, screenshot) is not None:
            raise AssertionError("panel and screenshot differ: the client's buffer was taken for protected")
        testing.equal(session.output()["protected_surfaces"], [], "protected surfaces")


@on(*UNPROVEN_HEAPS)
def a_suspect_buffer_is_shown_as_protected_content_only():
    with s.Session() as session:
        session.start("client", "bad-client", "protected-unflagged", "--heap", UNPROVEN_HEAPS[PROFILE], "--hold", stdin=subprocess.PIPE)
        s.wait_until(lambda: session.output()["protected_surfaces"], "the suspect surface")
        testing.equal(last_surface(session)["evidence"], "Suspect", "evidence")
        colours = {tuple(int(c) for c in pixel) for pixel in np.unique(session.screenshot().reshape(-1, 3), axis=0)}
        testing.equal(colours, s.PLACEHOLDER | {s.DESKTOP}, "colours on the screenshot")


@on("plane-only")
def a_video_is_turned_back_whichever_way_it_was_turned():
    wrong = []
    for transform in ("90", "180", "270", "flipped", "flipped-90", "flipped-180", "flipped-270"):
        with s.Session() as session:
            video_on_panel(session, s.make_clip(), "--transform", transform)
            panel, screenshot = s.photograph(), session.screenshot()
        shown = reference.turned(s.crop(panel, s.find_box(panel, screenshot)), transform)
        testing.equal(shown.shape, (HEIGHT, WIDTH, 3), f"shape of the video with --transform {transform}, turned as it was")
        try:
            number = frame_bar.read_frame_number(shown)
        except frame_bar.NoFrameNumber as reason:
            wrong.append(f"{transform}: {reason}")
            continue
        worst = reference.largest_difference(shown, WIDTH, HEIGHT, number)
        if worst > TOLERANCE:
            wrong.append(f"{transform}: frame {number} is {worst:.2f} of 255 away")
    if wrong:
        raise AssertionError("; ".join(wrong))


@on("full")
def what_changes_little_is_redrawn_little():
    with s.Session() as session:
        terminal = session.start("terminal", "foot", "--config=/dev/null", "--window-size-pixels=400x300", "sh", "-c",
                                 "while printf x; do sleep 0.05; done")
        s.wait_until(lambda: session.output()["frames_rendered"] > 20, "a terminal at work")
        before, drawn_before = session.output()["frames_rendered"], session.status()["vulkan"]["pixels_drawn"]
        s.wait_until(lambda: session.output()["frames_rendered"] >= before + 40, "40 characters more")
        drawn = session.status()["vulkan"]["pixels_drawn"] - drawn_before
        frames = session.output()["frames_rendered"] - before
        # A character and the cursor, for each of three buffers; a line of the terminal now and then.
        if not 0 < drawn < frames * 400 * 30:
            raise AssertionError(f"{drawn} pixels in {frames} frames of one character each")
        # Captures are drawn whole: what was drawn bit by bit looks the same, once nothing changes any more.
        terminal.process.send_signal(signal.SIGSTOP)
        s.wait_until(lambda: np.array_equal(s.photograph(), session.screenshot()), "panel and screenshot to be the same")


@on("untrusted-display", "untrusted-gpu")
def a_failed_commit_becomes_the_placeholder_in_the_same_frame():
    with s.Session() as session:
        player = video_on_panel(session, s.make_clip())
        surface = last_surface(session)
        reason = surface["refusal" if PROFILE == "untrusted-display" else "compose_refusal"]
        testing.equal((surface["path"], reason), ("placeholder", "PlaneCommitFailed"), "surface")
        paths = [report["path"] for report in session.output()["protected_surfaces"]]
        testing.equal(paths, ["placeholder"], "paths taken: no frame was dropped for the failed commit")
        if session.output()["failed_commits"] == 0:
            raise AssertionError("no commit failed: this profile's display is not what it should be")
        if "PlaneCommitFailed" not in session.compositor.log():
            raise AssertionError("the log does not say why")
        testing.equal(session.output()["in_protected_memory"], False, "composed in protected memory after that")
        panel = s.photograph()
        shown = {tuple(int(c) for c in pixel) for pixel in np.unique(panel.reshape(-1, 3), axis=0)}
        testing.equal(shown, s.PLACEHOLDER | {s.DESKTOP}, "colours on the panel")
        session.wait_for_frames(30)
        testing.equal(player.running(), True, "the player")


def assert_video_around_a_window(session, name):
    """The video is right where the window over it leaves it to be seen, and the screenshot has the placeholder there."""
    session.wait_for_frames(10)
    panel, screenshot = s.photograph(), session.screenshot()
    s.save_png(f"{name}.png", panel)
    box = s.find_box(panel, screenshot)
    testing.equal(box[2:], (WIDTH, HEIGHT), "size of the video on the panel")
    video, public = s.crop(panel, box), s.crop(screenshot, box)
    covered = (video == public).all(axis=2)
    worst = reference.largest_difference(video, WIDTH, HEIGHT, frame_bar.read_frame_number(video), where=~covered)
    if worst > TOLERANCE:
        raise AssertionError(f"around the window the video differs by {worst:.2f} of 255")
    if not 100 * 100 < covered.sum() <= 300 * 220:
        raise AssertionError(f"{covered.sum()} pixels of the video are covered")
    if not s.only_placeholder(public[~covered]):
        raise AssertionError("the screenshot shows something else than placeholder and window")


def start_a_window_over_the_video(session):
    session.start("over", "foot", "--config=/dev/null", "--window-size-pixels=300x200", "sleep", "1000")


@on("full")
def a_window_over_the_video_puts_it_on_an_underlay():
    with s.Session() as session:
        video_on_panel(session, s.make_clip())
        start_a_window_over_the_video(session)
        s.wait_until(lambda: last_surface(session)["underlay"], "the underlay")
        assert_video_around_a_window(session, "underlay")


@on("no-underlay")
def a_window_over_the_video_is_composed_on_a_plane_above_it():
    with s.Session() as session:
        video_on_panel(session, s.make_clip())
        testing.equal(session.output()["composed_planes"], 1, "planes that show composed content")
        start_a_window_over_the_video(session)
        s.wait_until(lambda: session.output()["composed_planes"] == 2, "the second composed plane")
        assert_video_around_a_window(session, "composed-above")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["refusal"], surface["underlay"]), ("plane", None, False), "surface")


@on("plane-only", "no-underlay")
def a_pointer_that_moves_over_the_video_costs_it_nothing():
    import uinput

    with s.Session() as session:
        video_on_panel(session, s.make_clip())
        output = session.output()
        box = s.find_box(s.photograph(), session.screenshot())
        devices = session.input_devices()
        mouse = uinput.PlacedMouse((output["width"], output["height"]))
        try:
            s.wait_until(lambda: session.input_devices() == devices + 1, "the mouse to be opened")
            x, y = box[0] + 100, box[1] + 100
            mouse.to(x, y)
            session.wait_for_frames(30)

            def cost_of_twenty_moves():
                before = session.output()
                for step in range(20):
                    mouse.to(x + 2 * step, y + step)
                    session.wait_for_frames(1)
                after = session.output()
                return [after[what] - before[what] for what in ("test_only_commits", "frames_rendered")]

            # Moves that cost something do so each time. What was refused is asked again after 2, 10 and 60 s, with or without a move.
            costs = [cost_of_twenty_moves() for _ in range(3)]
        finally:
            mouse.close()
        testing.equal(min(tests for tests, _ in costs), 0, f"tests of 20 moves, of {costs}")
        testing.equal([rendered for _, rendered in costs], [0, 0, 0], "frames composed for 20 moves")
        surface = last_surface(session)
        testing.equal((surface["path"], surface["refusal"]), ("plane", None), "surface")


@on("full")
def pointer_and_keyboard_work():
    import uinput

    with s.Session(validated=False) as session:
        player = video_on_panel(session, s.make_clip(fps=60))
        session.wait_for_frames(60)
        devices = session.input_devices()
        mouse, keyboard = uinput.Mouse(), uinput.Keyboard()
        try:
            s.wait_until(lambda: session.input_devices() == devices + 2, "mouse and keyboard to be opened")
            before = s.photograph()
            # To the top-left corner, then somewhere on the desktop where nothing else moves.
            def moved():
                mouse.move(-2000, -2000)
                mouse.move(60, 60)
                return (s.photograph()[:120, :120] != before[:120, :120]).any()

            s.wait_until(moved, "the pointer on the panel")
            session.wait_for_frames(30)
            spent = session.calls()
            for _ in range(20):
                mouse.move(2, 1)
                session.wait_for_frames(1)
            submits = session.calls()["vulkan_submits"] - spent["vulkan_submits"]
            testing.equal(submits, 0, "Vulkan submits for a moving pointer")
            keyboard.chord("logo", "q")
            testing.equal(player.wait(), 0, "status of the player that Logo+Q closes")
        finally:
            mouse.close()
            keyboard.close()


@on("full")
def clean_start_and_stop():
    for number in (signal.SIGINT, signal.SIGTERM):
        session = s.Session()
        testing.equal(session.compositor.stop(number), 0, f"status after {signal.Signals(number).name}")
    status = subprocess.run(["vitrine", "sh", "-c", "exit 7"], capture_output=True, timeout=60, check=False)
    testing.equal(status.returncode, 7, "status of a kiosk whose client ends with 7")


@on("full")
def config_errors_have_line_and_column():
    path = "/tmp/bad.toml"
    for text, wanted in (("[output]\nplanez = 'auto'\n", "bad.toml:2:1: unknown key 'planez'"),
                         ("[output]\nplanes = 'sometimes'\n", "bad.toml:2:10: must be one of"),
                         ("[output]\nscale = nan\n", "bad.toml:2:9: must be a number from 0.5 to 4"),
                         ("[output]\nmode = '1920x1080@nan'\n", "bad.toml:2:8: must be a mode"),
                         ("[output]\nmode = '-1x5'\n", "bad.toml:2:8: must be a mode"),
                         ("[output\n", "bad.toml:1:")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        got = subprocess.run(["vitrine", "--check-config", "--config", path], capture_output=True, text=True, check=False)
        testing.equal(got.returncode, 2, "status")
        if wanted not in got.stderr:
            raise AssertionError(f"{got.stderr!r} does not say {wanted!r}")


@on("full")
def clients_of_other_toolkits_run():
    with s.Session() as session:
        session.start("terminal", "foot", "--config=/dev/null", "sleep", "1000")
        s.wait_until(lambda: (session.screenshot() != s.DESKTOP).any(), "a window")
        info = subprocess.run(["wayland-info"], env=session.environment, capture_output=True, text=True, check=True).stdout
        for interface in ("zwp_linux_dmabuf_v1", "weston_restricted_buffer_v1", "wp_presentation", "wp_viewporter", "xdg_wm_base",
                          "zwlr_screencopy_manager_v1", "wp_color_representation_manager_v1"):
            if interface not in info:
                raise AssertionError(f"{interface} is not offered")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
