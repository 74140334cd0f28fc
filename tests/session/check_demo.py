#!/usr/bin/env python3
"""Whether a demonstration's account is complete and says what its profile has to lead to, and whether its pictures show that:
check_demo.py PROFILE DIR"""

import json
import os
import sys

import numpy as np
from PIL import Image

import frame_bar
import reference
import session as s

KEYS = ["profile", "path", "refusal", "heap", "evidence", "frames_presented", "frames_missed", "panel_frame", "cpu_maps_of_protected",
        "atomic_commits", "test_only_commits", "vulkan_submits", "seconds"]
ON_A_PLANE = {"path": "plane", "refusal": None, "heap": "protected,secure-video", "evidence": "KernelProtected"}
WANTED = {
    "full": ON_A_PLANE,
    "plane-only": ON_A_PLANE,
    "no-gpu": ON_A_PLANE,
    "tiny-pool": ON_A_PLANE,
    "gpu-only": {"path": "composited", "refusal": "PlaneNone", "heap": "protected,secure-video", "evidence": "KernelProtected"},
    "untrusted-display": {"path": "placeholder", "refusal": "PlaneCommitFailed", "heap": "protected,secure-video", "panel_frame": None},
    "no-heap": {"path": None, "refusal": "HeapAbsent", "heap": None, "panel_frame": None},
}
CLIP = (640, 360)
SHOWN = {"gpu-only": (960, 540)}  # demo_session.py's PLAYED_AS
CASCADE = 24  # how far below and right of the middle the desktop places the second window: the terminal is the first
TOLERANCE = 2.0  # of 255
LEAST_PSNR = 45.0  # dB, where a filter had a say


def in_the_account(profile, report):
    yield from (f"no {key}" for key in KEYS if key not in report)
    yield from (f"{key} is {report.get(key)!r}, not {value!r}" for key, value in WANTED[profile].items() if report.get(key) != value)
    if report.get("cpu_maps_of_protected") != 0:
        yield f"{report.get('cpu_maps_of_protected')} attempts to map a protected buffer"
    if WANTED[profile]["path"] in ("plane", "composited"):
        if not isinstance(report.get("panel_frame"), int):
            yield "no frame number on the panel"
        if not report.get("frames_presented"):
            yield "no frame was presented"


def box_of_placeholder(picture):
    """The box of all pixels that have the placeholder's colours, which nothing else on the demonstration's desktop has; or None."""
    rows, columns = np.nonzero(np.any([(picture == colour).all(axis=2) for colour in s.PLACEHOLDER], axis=0))
    if rows.size == 0:
        return None
    return (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def in_the_video(seen, frame):
    """What is wrong with these pixels of the panel, which have to be that frame."""
    height, width = seen.shape[:2]
    try:
        number = frame_bar.read_frame_number(seen, CLIP[1])
    except frame_bar.NoFrameNumber as reason:
        yield f"the panel shows no frame: {reason}"
        return
    if number != frame:
        yield f"panel_frame is {frame}, and the panel shows {number}"
    if (width, height) == CLIP:
        worst = reference.largest_difference(seen, *CLIP, number)
        if worst > TOLERANCE:
            yield f"frame {number} on the panel is {worst:.2f} of 255 away from the reference"
    else:
        pictures = (reference.unlimited_picture(*CLIP, number, way=way) for way in reference.CHROMA)
        ratio = max(reference.psnr(seen, reference.scaled(picture, width, height)) for picture in pictures)
        if ratio < LEAST_PSNR:
            yield f"frame {number} on the panel is like the reference with {ratio:.1f} dB only"


def in_the_pictures(profile, frame, panel, screenshot):
    """Both show the desktop. Where the video is, the panel shows what its path leads to, the screenshot the placeholder and so nothing
    of the video. Elsewhere they are the same."""
    if not (screenshot[0, 0] == s.DESKTOP).all():
        yield "the screenshot shows no desktop"
    path = WANTED[profile]["path"]
    width, height = SHOWN.get(profile, CLIP)
    box = None
    if path is not None:
        box = ((panel.shape[1] - width) // 2 + CASCADE, (panel.shape[0] - height) // 2 + CASCADE, width, height)
    if box_of_placeholder(screenshot) != box:
        yield f"the placeholder on the screenshot is at {box_of_placeholder(screenshot)}, not {box}"
    elif box is not None and not s.only_placeholder(s.crop(screenshot, box)):
        yield "where the video is, the screenshot shows something else than the placeholder"
    different = s.find_box(panel, screenshot)
    if path in ("plane", "composited"):
        if different != box:
            yield f"panel and screenshot differ in {different}, not {box}"
        yield from in_the_video(s.crop(panel, box), frame)
    elif different is not None:
        yield f"panel and screenshot differ in {different}"


def complaints(profile, folder):
    with open(os.path.join(folder, "demo.json"), encoding="utf-8") as file:
        report = json.load(file)
    yield from in_the_account(profile, report)
    pictures = [os.path.join(folder, name) for name in ("panel.png", "screenshot.png")]
    absent = [path for path in pictures if not os.path.exists(path)]
    if absent:
        yield f"no {' and no '.join(absent)}"
        return
    yield from in_the_pictures(profile, report.get("panel_frame"), *(np.asarray(Image.open(path).convert("RGB")) for path in pictures))


if __name__ == "__main__":
    found = list(complaints(sys.argv[1], sys.argv[2]))
    print("; ".join(found))
    sys.exit(1 if found else 0)
