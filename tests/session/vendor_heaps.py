"""The heap that a board nominates which has none of the kernel's `protected` class, by board."""

LEGACY_HEAPS = {"legacy-mediatek": "restricted_mtk_cma", "legacy-android": "vframe-secure"}
UNPROVEN_HEAPS = {"mappable-name": "secure_display_region", "tee-takes-all": "secure_display_region",
                  "maps-and-faults": "heap-secure"}  # their buffers can be mapped
