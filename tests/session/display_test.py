#!/usr/bin/env python3
"""vitrine-display-test in a session of ours, in the guest: what it has to say about the compositor."""

import json
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402


@testing.test
def the_compositor_shows_protected_buffers_and_captures_nothing_of_them():
    report = os.path.join(s.OUT, "report.json")
    with s.Session(counted=False) as session:
        done = subprocess.run(["vitrine-display-test", "--group", "compositor", "--json", report], env=session.environment,
                              capture_output=True, text=True, timeout=120, check=False)
    with open(report, encoding="utf-8") as file:
        found = json.load(file)
    testing.equal([(result["name"], result["verdict"], result["reason"]) for result in found["results"]],
                  [(f"compositor/{case}", "pass", "") for case in ("shows", "screencopy-shm", "screencopy-dmabuf")], "results")
    testing.equal(done.returncode, 0, "status")
    testing.equal(found["board"]["compositor"], "vitrine", "compositor")
    captures = [seen["value"] for result in found["results"][1:] for seen in result["seen"] if "ordinary" in seen["what"]]
    testing.equal(captures, [str(256 * 256)] * 2, "pixels of an ordinary window in the captures")
    testing.equal(len(found["results"][1]["pictures"]), 1, "pictures of a capture")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
