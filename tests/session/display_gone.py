#!/usr/bin/env python3
"""The display device goes while a session shows something on it, in the guest: the last thing that this machine does."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
from connectors import LEFT, RIGHT, VKMS, wait_for_outputs  # noqa: E402


@testing.test
def a_display_device_that_goes_leaves_a_session_that_ends_well():
    with s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60))
        with open(f"{VKMS}/enabled", "w", encoding="ascii") as file:
            file.write("0")
        s.wait_until(lambda: not session.status()["outputs"], "the outputs to be gone")
        lines = session.compositor.log().count("\n")
        testing.equal(player.running(), True, "the player")
        player.stop()
        testing.equal(session.compositor.stop(), 0, "status of vitrine")
        more = session.compositor.log().count("\n") - lines
        if more > 20:
            raise AssertionError(f"vitrine wrote {more} lines without a display")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
