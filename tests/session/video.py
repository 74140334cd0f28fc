#!/usr/bin/env python3
"""Protected video on a plane (full) and composed (gpu-only), in the guest: its colours in each encoding and range, and the client's
presentation feedback."""

import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import frame_bar  # noqa: E402
import reference  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
WINDOWED = {"full": "plane", "gpu-only": "composited"}[PROFILE]
WIDTH, HEIGHT = 640, 360
TOLERANCE = 2.0  # of 255
COLOURS = [(encoding, limited) for encoding in reference.KR_KB for limited in (True, False)]


def colours_of(encoding, limited):
    def test():
        name = f"{encoding}-{'limited' if limited else 'full'}"
        with s.Session() as session:
            player = s.video_on_panel(session, s.make_clip(name=name, encoding=encoding, limited=limited))
            testing.equal(session.output()["protected_surfaces"][-1]["path"], WINDOWED, "path")
            panel, screenshot = s.photograph(), session.screenshot()
            testing.equal(player.stop(), 0, "status of vitrine-play")
            testing.equal(player.report()["color_told"], True, "whether the compositor was told of encoding and range")
        box = s.find_box(panel, screenshot)
        testing.equal(box[2:], (WIDTH, HEIGHT), "size of the video on the panel")
        shown = s.crop(panel, box).astype(float)
        pattern = reference.test_pattern(WIDTH, HEIGHT, frame_bar.read_frame_number(shown), limited)
        worst = {how: np.abs(shown - np.clip(reference.to_rgb(*pattern, *how, WINDOWED), 0, 255)).max() for how in COLOURS}
        print(f"# {name}, {WINDOWED}: {worst[encoding, limited]:.2f} of 255 away at most; as anything else it would be "
              f"{min(away for how, away in worst.items() if how != (encoding, limited)):.0f}", flush=True)
        # A picture that is near in one encoding is far in all others, so a wrong encoding fails.
        testing.equal([how for how in COLOURS if worst[how] <= TOLERANCE], [(encoding, limited)], "what the video on the panel is shown as")

    test.__name__ = f"{encoding}_{'limited' if limited else 'full'}_range_is_right"
    return testing.test(test)


for colours in COLOURS:
    colours_of(*colours)


@testing.test
def zero_copy_is_told_of_planes_alone():
    with s.Session() as session:
        screen = session.output()["width"], session.output()["height"]
    large = s.make_clip(f"{screen[0]}x{screen[1]}", name="screen")
    composed_by_order = '[output]\nplanes = "composite"\n'
    for clip, arguments, config, path in ((s.make_clip(), (), "", WINDOWED), (large, ("--fullscreen",), "", "plane"),
                                          (large, ("--fullscreen",), composed_by_order, "composited")):
        with s.Session(config=config) as session:
            player = s.video_on_panel(session, clip, *arguments)
            session.wait_for_frames(20)
            paths = {surface["path"] for surface in session.output()["protected_surfaces"]}
            testing.equal(paths, {path}, f"paths with {arguments} {config}")
            testing.equal(player.stop(), 0, "status of vitrine-play")
            report = player.report()
            if report["frames_presented"] < 10:
                raise AssertionError(f"{report['frames_presented']} frames presented: too few to say anything")
            zero_copy = report["frames_presented"] if path == "plane" else 0
            testing.equal(report["zero_copy"], zero_copy, f"zero-copy frames of {report['frames_presented']}, {path}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
