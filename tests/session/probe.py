#!/usr/bin/env python3
"""What vitrine-probe says of each board, in the guest. On the ordinary ones, machine.py compares it with what the kernel says."""

import json
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import testing  # noqa: E402
from vendor_heaps import LEGACY_HEAPS, UNPROVEN_HEAPS  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


@on(*LEGACY_HEAPS)
def the_probe_knows_a_vendors_heap():
    said = " ".join(subprocess.run(["vitrine-probe", "--try"], capture_output=True, text=True, timeout=60, check=False).stdout.split())
    heap = LEGACY_HEAPS[PROFILE]
    for phrase in (f"yes {heap} protected", "a buffer of it is Unmappable", "no system ordinary", f"picked: {heap}."):
        if phrase not in said:
            raise AssertionError(f"vitrine-probe does not say `{phrase}`: {said}")


@on(*UNPROVEN_HEAPS)
def the_probe_says_what_is_only_nominated():
    heap = UNPROVEN_HEAPS[PROFILE]
    got = subprocess.run(["vitrine-probe", "--try"], capture_output=True, text=True, timeout=60, check=False)
    testing.equal(got.returncode, 1, "status of vitrine-probe")
    for phrase in (f"no   {heap}", "a buffer of it is Suspect", "picked: none.", "HeapUnproven"):
        if phrase not in got.stdout:
            raise AssertionError(f"vitrine-probe does not say `{phrase}`: {got.stdout}")


@on("no-supplicant")
def the_probe_prints_all_it_can_and_asks_for_tee_supplicant():
    got = subprocess.run(["vitrine-probe"], capture_output=True, text=True, timeout=60, check=False)
    testing.equal(got.returncode, 0, "status of vitrine-probe")
    said = " ".join(got.stdout.split())  # lines are folded
    for phrase in ("no answer in 2 s; is tee-supplicant running?", "yes optee_test sdp_basic answers", "DISPLAYS:", "PATHS"):
        if phrase not in said:
            raise AssertionError(f"vitrine-probe does not say `{phrase}`: {got.stdout}")


@on("no-heap")
def the_probe_says_why_a_tee_may_have_no_heap():
    said = " ".join(subprocess.run(["vitrine-probe"], capture_output=True, text=True, timeout=60, check=False).stdout.split())
    if "is here, its protected heap is not. The usual reasons: a kernel before 6.18" not in said:
        raise AssertionError(f"vitrine-probe gives no hint: {said}")


@on("tiny-pool")
def the_probe_says_how_much_a_pool_holds():
    report = json.loads(subprocess.run(["vitrine-probe", "--json", "--try"], capture_output=True, text=True, timeout=60, check=False).stdout)
    testing.equal(report["heap_capacity"], {"heap": "protected,secure-video", "largest_buffer_bytes": 8 << 20, "frames_1080p_nv12": 2,
                                            "frames_2160p_nv12": 0}, "capacity")


@on("plane-only")
def the_probe_says_why_a_gpu_composes_nothing_protected():
    said = subprocess.run(["vitrine-probe"], capture_output=True, text=True, timeout=60, check=False).stdout
    for phrase in ("(software): the Vulkan device has no protectedMemory", "no   composited", "yes  plane"):
        if phrase not in said:
            raise AssertionError(f"vitrine-probe does not say `{phrase}`: {said}")


@on("no-gpu")
def the_probe_finds_no_gpu_without_a_render_node():
    got = subprocess.run(["vitrine-probe", "--json"], capture_output=True, text=True, timeout=60, check=True)
    testing.equal(json.loads(got.stdout)["vulkan"], [], "Vulkan devices")
    for arguments in ((), ("--try",)):
        got = subprocess.run(["vitrine-probe", "explain", "--for", "gpu", *arguments], capture_output=True, text=True, timeout=60, check=False)
        testing.equal((got.returncode, "find gpu" in got.stderr, "there is no Vulkan device" in got.stderr), (1, True, True),
                      f"status and words of explain {arguments}: {got.stderr}")


@on("full")
def a_heap_without_permission_names_node_errno_and_rule():
    got = subprocess.run(["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "vitrine-probe"], capture_output=True,
                         text=True, timeout=60, check=False)
    said = got.stdout + got.stderr
    for phrase in ("/dev/dma_heap/protected,secure-video", "EACCES", "60-vitrine-heaps.rules"):
        if phrase not in said:
            raise AssertionError(f"vitrine-probe does not say {phrase}: {said}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
