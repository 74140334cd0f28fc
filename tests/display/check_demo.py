#!/usr/bin/env python3
"""Whether a demonstration's account is complete and says what its profile has to lead to: check_demo.py PROFILE DIR

Runs on the host, with nothing but Python's own library.
"""

import json
import os
import sys

KEYS = ["profile", "path", "refusal", "heap", "evidence", "frames_presented", "frames_missed", "panel_frame", "cpu_maps_of_protected",
        "atomic_commits", "test_only_commits", "vulkan_submits", "seconds"]
WANTED = {
    "full": {"path": "plane", "refusal": None, "heap": "protected,secure-video", "evidence": "Authenticated"},
    "gpu-only": {"path": "composited", "refusal": "PlaneNone", "heap": "protected,secure-video", "evidence": "Authenticated"},
    "untrusted-display": {"path": "placeholder", "refusal": "PlaneCommitFailed", "heap": "protected,secure-video", "panel_frame": None},
    "no-heap": {"path": None, "refusal": "HeapAbsent", "heap": None, "panel_frame": None},
}


def complaints(profile, folder):
    with open(os.path.join(folder, "demo.json"), encoding="utf-8") as file:
        report = json.load(file)
    yield from (f"no {key}" for key in KEYS if key not in report)
    yield from (f"{key} is {report.get(key)!r}, not {value!r}" for key, value in WANTED[profile].items() if report.get(key) != value)
    if report["cpu_maps_of_protected"] != 0:
        yield f"{report['cpu_maps_of_protected']} attempts to map a protected buffer"
    if WANTED[profile]["path"] in ("plane", "composited"):
        if not isinstance(report["panel_frame"], int):
            yield "no frame number on the panel"
        if report["frames_presented"] == 0:
            yield "no frame was presented"
    for name in ("panel.png", "screenshot.png"):
        if not os.path.exists(os.path.join(folder, name)):
            yield f"no {name}"


if __name__ == "__main__":
    found = list(complaints(sys.argv[1], sys.argv[2]))
    print("; ".join(found))
    sys.exit(1 if found else 0)
