"""Which path protected video has to take on each board, and why: the one place to correct where that changes."""

CASES = ("windowed 1:1", "windowed scaled", "rotated", "half covered", "fullscreen")

PLANE = ("plane", None)
UNDERLAY = ("underlay", None)  # a plane below the composed one, which has a hole there
NO_HEAP = (None, "HeapAbsent")
UNPROVEN = (None, "HeapUnproven")  # the heap's name says protected, and its buffers can be mapped
COMMIT_FAILS = ("placeholder", "PlaneCommitFailed")

# (path, refusal) for each of CASES. The refusal is why the surface is on no plane; vkms turns and does not scale. A video that fills
# the screen goes to the primary plane itself, where there is no other.
PLANES_AND_GPU = (PLANE, ("composited", "PlaneScaling"), PLANE, UNDERLAY, PLANE)
PLANES_ALONE = (PLANE, ("placeholder", "PlaneScaling"), PLANE, UNDERLAY, PLANE)
EXPECTED = {
    "full": PLANES_AND_GPU,
    "plane-only": PLANES_ALONE,
    "gpu-only": (*[("composited", "PlaneNone")] * 4, PLANE),
    "no-gpu": PLANES_ALONE,
    "single-plane": (*[("placeholder", "PlaneNone")] * 4, PLANE),
    "untrusted-display": (COMMIT_FAILS, ("placeholder", "PlaneScaling"), COMMIT_FAILS, COMMIT_FAILS, COMMIT_FAILS),
    "no-heap": (NO_HEAP,) * 5,
    "legacy-mediatek": PLANES_AND_GPU,
    "legacy-android": PLANES_AND_GPU,
    "tiny-pool": PLANES_ALONE,
    "mappable-name": (UNPROVEN,) * 5,
    "maps-and-faults": (UNPROVEN,) * 5,
    "tee-takes-all": (UNPROVEN,) * 5,
}


def row(profile, case, path, refusal, panel, screenshot):
    return f"| {profile} | {case} | {path or 'none'} | {refusal or ''} | {panel} | {screenshot} |"


def expected_row(profile, case):
    path, refusal = EXPECTED[profile][CASES.index(case)]
    panel = {"placeholder": "placeholder", None: "desktop"}.get(path, "video")
    return row(profile, case, path, refusal, panel, "desktop" if path is None else "placeholder")
