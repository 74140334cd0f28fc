"""Reads what tests/session/call_counter.cpp counts in a process: a file of 64-bit numbers in the order of NAMES; and orders failures there."""

import os
import struct

NAMES = [
    "protected_map_attempts",
    "protected_maps",
    "maps",
    "atomic_commits",
    "test_only_commits",
    "vulkan_submits",
    "vulkan_allocations",
    "buffer_allocations",
    "framebuffers_added",
    "heap_allocations",
    "allocations_by_new",
    "tee_invocations",
    "modesets",
    "commits_to_fail",
    "tests_to_fail",
    "modesets_to_fail",
    "frames_to_fail",
    "bad_links",
    "headsets",
]


def variables(path):
    """Environment that makes a program count into `path`."""
    if os.path.exists(path):
        os.remove(path)
    library = os.path.join(os.environ.get("VITRINE_BUILD", "/vitrine/build/platform"), "tests/session/libcall_counter.so")
    if not os.path.exists(library):
        raise FileNotFoundError(f"{library}: build it first")
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": library, "VITRINE_CALL_COUNTS": path, "ASAN_OPTIONS": (options + ":" if options else "") + "verify_asan_link_order=0"}


def environment(path):
    return dict(os.environ) | variables(path)


def read(path):
    with open(path, "rb") as file:
        return dict(zip(NAMES, struct.unpack(f"<{len(NAMES)}Q", file.read(8 * len(NAMES)))))


def order(path, name, count):
    """Before the process has started, too."""
    with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
        file.seek(8 * NAMES.index(name))
        file.write(struct.pack("<Q", count))
