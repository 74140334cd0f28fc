#!/usr/bin/env python3
"""The demonstration, inside the virtual platform: protected video over a desktop, photographed and screenshot, and the account of it.

    demo_session.py SECONDS      leaves panel.png, screenshot.png, demo.json and logs in $OUT
"""

import json
import os
import sys
import time

import frame_bar
import session as s

CLIP_WIDTH, CLIP_HEIGHT = 640, 360
# On boards without planes for video, the video is scaled by the GPU.
PLAYED_AS = {"gpu-only": ("--size", "960x540")}
NOT_APPLICABLE = 77


def panel_frame(panel, screenshot):
    """The frame number in the bar of the region where panel and screenshot differ; None if it is no video."""
    box = s.find_box(panel, screenshot)
    if box is None:
        return None
    try:
        return frame_bar.read_frame_number(s.crop(panel, box), CLIP_HEIGHT)
    except frame_bar.NoFrameNumber:
        return None


def play(session, seconds):
    clip = s.make_clip(f"{CLIP_WIDTH}x{CLIP_HEIGHT}", fps=30, frames=120)
    player = session.play(clip, "--loop", *PLAYED_AS.get(os.environ["VITRINE_PROFILE"], ()))
    started = time.monotonic()
    s.wait_until(lambda: session.output()["protected_surfaces"] or not player.running(), "the first protected frame")
    if not player.running():
        return player, None, None
    s.wait_until(lambda: time.monotonic() - started >= seconds or not player.running(), "the time asked for", seconds + 60)
    panel = s.photograph()
    screenshot = session.screenshot()
    return player, panel, screenshot


def account(session, player, panel, screenshot, seconds):
    """demo.json: what was chosen, why, and what was counted."""
    status = session.status()
    output = status["outputs"][0]
    surfaces = output["protected_surfaces"]
    last = surfaces[-1] if surfaces else {"path": "placeholder", "refusal": None, "evidence": None}
    exit_status = player.stop() if player.running() else player.wait()
    played = player.report() if os.path.exists(os.path.join(s.OUT, "player.json")) else {}
    compositor, client = session.calls(), session.player_calls()
    return {
        "profile": os.environ["VITRINE_PROFILE"],
        "path": last["path"] if surfaces else None,
        "refusal": last["refusal"] if surfaces else played.get("refusal"),
        "heap": played.get("heap"),
        "evidence": last["evidence"],
        "frames_presented": played.get("frames_presented", 0),
        "frames_missed": played.get("frames_missed", 0),
        "panel_frame": panel_frame(panel, screenshot),
        "cpu_maps_of_protected": compositor["protected_map_attempts"] + client["protected_map_attempts"],
        "atomic_commits": compositor["atomic_commits"],
        "test_only_commits": compositor["test_only_commits"],
        "vulkan_submits": compositor["vulkan_submits"],
        "seconds": round(seconds, 1),
        "player_status": exit_status,
        "player": played,
        "compositor": status,
    }


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    with s.Session() as session:
        session.start("desktop", "foot", "--config=/dev/null", "--override=csd.preferred=none", "--window-size-pixels=900x620", "sh", "-c",
                      "cat /vitrine/README.md; exec sleep 100000")
        s.wait_until(lambda: session.output()["frames_presented"] > 2, "the desktop")
        started = time.monotonic()
        player, panel, screenshot = play(session, seconds)
        if panel is None:
            panel, screenshot = s.photograph(), session.screenshot()
        s.save_png("panel.png", panel)
        report = account(session, player, panel, screenshot, time.monotonic() - started)
    with open(os.path.join(s.OUT, "demo.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
    print(json.dumps({key: value for key, value in report.items() if key not in ("player", "compositor")}, indent=2))
    if report["player_status"] not in (0, NOT_APPLICABLE):
        print(player.log(), file=sys.stderr)
        return 1
    if report["player_status"] == NOT_APPLICABLE:
        print(player.log().strip(), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
