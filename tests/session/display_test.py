#!/usr/bin/env python3
"""vitrine-display-test in a session of ours, in the guest: what it has to say about the compositor."""

import json
import os
import signal
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402


CASES = ("shows", "screencopy-shm", "screencopy-dmabuf", "image-copy-output", "image-copy-window", "path-switches", "lock", "told", "memory")


@testing.test
def the_compositor_shows_protected_buffers_and_captures_nothing_of_them():
    report = os.path.join(s.OUT, "report.json")
    with s.Session(counted=False) as session:
        done = subprocess.run(["vitrine-display-test", "--group", "compositor", "--json", report], env=session.environment,
                              capture_output=True, text=True, timeout=120, check=False)
    with open(report, encoding="utf-8") as file:
        found = json.load(file)
    testing.equal([(result["name"], result["verdict"], result["reason"]) for result in found["results"]],
                  [(f"compositor/{case}", "pass", "") for case in CASES], "results")
    testing.equal(done.returncode, 0, "status")
    testing.equal(found["board"]["compositor"], "vitrine", "compositor")
    captures = [seen["value"] for result in found["results"] for seen in result["seen"] if "an ordinary window" in seen["what"]]
    # The right half of the last is covered.
    testing.equal(captures, [str(256 * 256)] * 4 + [str(256 * 128)], "pixels of an ordinary window in the captures")
    testing.equal(len(found["results"][1]["pictures"]), 1, "pictures of a capture")


@testing.test
def an_interrupted_lock_case_leaves_the_session_unlocked():
    with s.Session(counted=False) as session:
        program = session.start("display-test", "vitrine-display-test", "compositor/lock")
        s.wait_until(lambda: "session.locked" in session.compositor.log(), "the lock")
        testing.equal(program.stop(signal.SIGINT), 1, "status")
        s.wait_until(lambda: "session.unlocked" in session.compositor.log(), "the unlock")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
