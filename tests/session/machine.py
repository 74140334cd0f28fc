#!/usr/bin/env python3
"""What vitrine-probe says of a machine, against what the kernel and other people's tools say, in the guest; and what an ordinary user
may do there with the rule of configs/."""

import ctypes
import json
import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import call_counter  # noqa: E402
import frame_bar  # noqa: E402
import json_schema  # noqa: E402
import kms  # noqa: E402
import reference  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
PLANE_TYPES = ["overlay", "primary", "cursor"]  # DRM_PLANE_TYPE_*
ENUMS, IMMUTABLE = 0x08 | 0x20, 0x04  # DRM_MODE_PROP_ENUM, _BITMASK; _IMMUTABLE
RULE = "60-vitrine-heaps.rules"
AS_USER = ("setpriv", "--reuid", "1000", "--regid", "1000", "--groups", "video")
IN_SESSION = (*AS_USER[:-1], "video,render")  # a GPU's render node is another thing than heaps
TEE_RULE = 'SUBSYSTEM=="tee", KERNEL=="tee[0-9]*", GROUP="teeclnt", MODE="0660"\n'  # as the package of tee-supplicant has it
AS_TEE_CLIENT = (*AS_USER[:-1], "video,teeclnt")


class Card(kms.Card):
    """With what the probe tells of properties and formats."""

    def property_info(self, identifier):
        """Whether it is immutable, and the names of an enum's or bitmask's values."""
        layout = "QQII32sII"
        _, _, _, flags, _, _, count = self._call(0xAA, layout, 0, 0, identifier, 0, b"", 0, 0)
        names, at = self._array(40 * count, ctypes.c_uint8)
        if flags & ENUMS:
            self._call(0xAA, layout, 0, at, identifier, 0, b"", 0, count)
        entries = [bytes(names[40 * i + 8 : 40 * i + 40]).rstrip(b"\0").decode() for i in range(count if flags & ENUMS else 0)]
        return {"immutable": bool(flags & IMMUTABLE), "values": entries}

    def possible_crtcs(self, plane):
        return self._call(0xB6, "IIIIIIQ", plane, 0, 0, 0, 0, 0, 0)[3]

    def formats(self, plane):
        """Pairs of fourcc and modifier, of the plane's IN_FORMATS."""
        blob = self.planes[plane]["IN_FORMATS"][1]
        _, length, _ = self._call(0xAC, "IIQ", blob, 0, 0)
        data, at = self._array(length, ctypes.c_uint8)
        self._call(0xAC, "IIQ", blob, length, at)
        data = bytes(data)
        _, _, formats, formats_at, modifiers, modifiers_at = struct.unpack_from("<6I", data)
        fourccs = struct.unpack_from(f"<{formats}I", data, formats_at)
        pairs = set()
        for i in range(modifiers):
            mask, first, _, modifier = struct.unpack_from("<QIIQ", data, modifiers_at + 24 * i)
            pairs |= {(fourccs[first + bit], modifier) for bit in range(64) if mask >> bit & 1}
        return pairs


def format_names():
    """The kernel's own, by fourcc."""
    with open("/usr/include/drm/drm_fourcc.h", encoding="utf-8") as header:
        defined = re.findall(r"#define DRM_FORMAT_(\w+)\s+fourcc_code\('(.)', '(.)', '(.)', '(.)'\)", header.read())
    return {kms.fourcc("".join(code)): name for name, *code in defined}


def probe(*prefix):
    got = subprocess.run([*prefix, "vitrine-probe", "--json", "--try"], capture_output=True, text=True, timeout=60, check=False)
    return got.returncode, json.loads(got.stdout)


@testing.test
def the_probe_knows_every_heap_and_its_class():
    status, report = probe()
    testing.equal((status, report["path"]), (0, "composited"), "status and path")
    heaps = {heap["name"]: (heap["node"], heap["class"], heap["for_protected_video"], heap["refusal"]) for heap in report["heaps"]}
    wanted = {"protected,secure-video": ("protected", True, None), "system": ("ordinary", False, "HeapUnsuitable")}
    testing.equal(heaps, {name: (f"/dev/dma_heap/{name}", *wanted[name]) for name in os.listdir("/dev/dma_heap")}, "heaps")
    frame = report["video_frame"]
    testing.equal((frame["heap"], frame["evidence"], frame["refusal"], frame["error"]),
                  ("protected,secure-video", "KernelProtected", None, None), "the frame that was taken")


def probe_schema(name):
    with open(f"/vitrine/protected-path/probe/{name}.schema.json", encoding="utf-8") as stream:
        return json.load(stream)


@testing.test
def what_the_probe_writes_is_what_its_schemas_say_and_it_allocates_nothing_unasked():
    for words, schema in ((["--json"], "probe"), (["--json", "--try"], "probe"), (["explain", "--json"], "explain"),
                          (["explain", "--json", "--try", "--protected", "--for", "display,gpu,tee"], "explain")):
        counts = "/tmp/probe-calls"
        got = subprocess.run(["vitrine-probe", *words], capture_output=True, text=True, timeout=60, check=False,
                             env=call_counter.environment(counts))
        testing.equal(list(json_schema.faults(json.loads(got.stdout), probe_schema(schema))), [], f"what the schema of {words} does not allow")
        testing.equal(call_counter.read(counts)["heap_allocations"] > 0, "--try" in words, f"whether {words} allocated from a heap")


@testing.test
def explain_names_the_heap_and_why_no_other():
    got = subprocess.run(["vitrine-probe", "explain", "--json", "--try", "--protected", "--for", "display,tee", "--size", "1280x720"],
                         capture_output=True, text=True, timeout=60, check=False)
    said = json.loads(got.stdout)
    testing.equal((got.returncode, said["choice"]), (0, "protected,secure-video"), "status and choice")
    testing.equal([(plane["offset_bytes"], plane["stride_bytes"]) for plane in said["planes"]], [(0, 1280), (1280 * 720, 1280)], "layout")
    heaps = {heap["name"]: heap for heap in said["heaps"]}
    testing.equal((heaps["system"]["refusal"], heaps["system"]["reason"]), ("HeapUnsuitable", "ordinary memory: the CPU can read it"), "loser")
    testing.equal([(answer["consumer"], answer["takes"]) for answer in heaps["protected,secure-video"]["answers"]],
                  [("display", True), ("tee", True)], "answers")


@testing.test
def the_probe_knows_every_plane_with_its_formats_and_properties():
    _, report = probe()
    testing.equal([device["node"] for device in report["kms"]], ["/dev/dri/card0"], "displays")
    planes, card, names = {plane["id"]: plane for plane in report["kms"][0]["planes"]}, Card(), format_names()
    try:
        testing.equal(sorted(planes), sorted(card.planes), "planes")
        testing.equal(len(planes), {"full": 6, "gpu-only": 1}[PROFILE], "how many planes this board has")
        for number, properties in card.planes.items():
            plane = planes[number]
            testing.equal(plane["type"], PLANE_TYPES[properties["type"][1]], f"type of plane {number}")
            testing.equal((plane["stacking"], plane["stacking_known"]), (properties["zpos"][1], True), f"stacking of plane {number}")
            testing.equal(plane["possible_crtcs"], card.possible_crtcs(number), f"possible CRTCs of plane {number}")
            told = {(name, modifier) for name, modifiers in plane["formats"].items() for modifier in modifiers}
            wanted = {(names[fourcc], "LINEAR" if modifier == 0 else f"0x{modifier:016x}") for fourcc, modifier in card.formats(number)}
            testing.equal(sorted(told), sorted(wanted), f"formats with modifiers of plane {number}")
            for name, told in plane["properties"].items():
                testing.equal(told, card.property_info(properties[name][0]), f"{name} of plane {number}")
            shown = {"COLOR_ENCODING", "COLOR_RANGE", "rotation", "alpha", "pixel blend mode", "IN_FENCE_FD", "IN_FORMATS", "zpos"}
            testing.equal(set(plane["properties"]) & shown, set(properties) & shown, f"properties of plane {number}")
    finally:
        os.close(card.fd)


@testing.test
def the_probe_knows_the_gpu_as_vulkan_has_it():
    said = subprocess.run(["vulkaninfo"], capture_output=True, text=True, timeout=120, check=True).stdout
    fields = dict(line.strip().split("=", 1) for line in said.splitlines() if line.count("=") == 1)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    _, report = probe()
    testing.equal(report["vulkan"], [{
        "name": fields["deviceName"],
        "driver": f"{fields['driverName']} {fields['driverInfo']}",
        "api_version": int(re.search(r"\((\d+)\)", fields["apiVersion"]).group(1)),
        "software": fields["deviceType"] == "PHYSICAL_DEVICE_TYPE_CPU",
        "dmabuf_import": "VK_EXT_external_memory_dma_buf" in said,
        "protected_memory": fields["protectedMemory"] == "true",
        "protected_no_fault": fields["protectedNoFault"] == "true",
        "refusal": None,
        "missing_extensions": [],
    }], "Vulkan devices")


def gpu_node(said):
    """The device number of the GPU's own DRM node, by VK_EXT_physical_device_drm; None where it has none."""
    found = dict(re.findall(r"(has(?:Render|Primary)|(?:render|primary)M(?:aj|in)or)\s*=\s*(\w+)", said))
    for kind in ("render", "primary"):
        if found.get(f"has{kind.capitalize()}") == "true":
            return os.makedev(int(found[f"{kind}Major"]), int(found[f"{kind}Minor"]))
    return None


@testing.test
def dmabuf_feedback_is_what_planes_and_gpu_take():
    with s.Session() as session:
        info = subprocess.run(["wayland-info", "-i", "zwp_linux_dmabuf_v1"], env=session.environment | {"WAYLAND_DEBUG": "client"},
                              capture_output=True, text=True, timeout=60, check=True)
    said = info.stdout
    display = os.stat("/dev/dri/card0").st_rdev
    gpu = gpu_node(subprocess.run(["vulkaninfo"], capture_output=True, text=True, timeout=120, check=True).stdout)
    testing.equal(int(re.search(r"main device: (0x\w+)", said).group(1), 16), display if gpu is None else gpu, "main device")
    tranches = {}
    for text in said.split("tranche\n")[1:]:
        device, flags = re.search(r"target device: (0x\w+)\s+flags: (.+)", text).groups()
        formats = {(int(fourcc, 16), int(modifier, 16)) for fourcc, modifier in re.findall(r"(0x\w+) = '.*?'; (0x\w+)", text)}
        tranches[flags.strip()] = (int(device, 16), formats)
    testing.equal(sorted(tranches), ["none", "scanout"], "flags of the tranches")
    # Clients prefer what comes first. wayland-info prints the last one first, so that this is of the events themselves.
    testing.equal(re.findall(r"tranche_flags\((\d+)\)", info.stderr), ["1", "0"], "flags of the tranches, in their order")
    testing.equal(tranches["scanout"][0], display, "target device of the scanout tranche")
    card = Card()
    scanned = set().union(*(card.formats(plane) for plane in card.planes))
    os.close(card.fd)
    told, sampled = tranches["scanout"][1], tranches["none"][1]
    testing.equal(told - scanned, set(), "scanout formats that no plane has")
    # What no one here can lay out (base/format.h) is left out; it is sampled no more than scanned out.
    testing.equal({pair for pair in scanned - told if pair in sampled}, set(), "formats of planes that are sampled and not told")
    for wanted in ("XR24", "AR24", "NV12"):
        testing.equal([(kms.fourcc(wanted), 0) in formats for formats in (told, sampled)], [True, True], f"{wanted} LINEAR in both")
    print(f"# {len(told)} of {len(scanned)} formats of planes, {len(sampled)} sampled", flush=True)


class Rule:
    """`with Rule():` the rule of configs/ installed, as it says itself, beside that of tee-supplicant's package."""

    def __init__(self):
        self.path = f"/etc/udev/rules.d/{RULE}"
        self.tee_path = "/etc/udev/rules.d/60-tee-supplicant.rules"
        with open("/etc/group", "r+", encoding="ascii") as groups:
            if "teeclnt:" not in groups.read():
                groups.write("teeclnt:x:990:\n")

    def reload(self):
        # Not `settle`: it believes that all is done if udevd has not heard of the events yet.
        for arguments in (["control", "--reload"], ["trigger", "--settle", "--subsystem-match=dma_heap", "--subsystem-match=tee"]):
            subprocess.run(["udevadm", *arguments], check=True, timeout=60)

    def __enter__(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        shutil.copy(f"/vitrine/configs/{RULE}", self.path)
        with open(self.tee_path, "w", encoding="ascii") as file:
            file.write(TEE_RULE)
        self.reload()

    def __exit__(self, *_):
        os.remove(self.path)
        os.remove(self.tee_path)
        self.reload()


@testing.test
def an_ordinary_user_in_group_video_needs_the_rule_and_no_more():
    status, report = probe(*AS_USER)
    heap = report["heaps"][0]
    testing.equal((status, report["video_frame"]["heap"], heap["refusal"]), (1, None, "HeapNoPermission"), "without the rule")
    for word in (heap["node"], "EACCES (13)", f"configs/{RULE}"):
        if word not in report["video_frame"]["explanation"]:
            raise AssertionError(f"the probe does not say {word}: {report['video_frame']['explanation']}")
    with Rule():
        status, report = probe(*AS_USER)
        frame = report["video_frame"]
        testing.equal((status, frame["heap"], frame["evidence"]), (0, "protected,secure-video", "KernelProtected"), "with the rule")
        testing.equal(os.stat("/dev/tee0").st_gid, 990, "the TEE's group, which the rule leaves alone")
        for node in ("/dev/dma_heap/system", "/dev/dma_heap/protected,secure-video"):
            testing.equal(os.stat(node).st_mode & 0o777, 0o600 if node.endswith("system") else 0o660, f"mode of {node}")


@testing.test
def an_ordinary_user_in_group_video_plays_with_the_rule():
    home, out, runtime = "/tmp/user", s.OUT, os.environ["XDG_RUNTIME_DIR"]
    os.makedirs(home, mode=0o700, exist_ok=True)
    os.chown(home, 1000, 1000)
    clip = s.make_clip()
    shutil.copy(clip + ".key", "/tmp/user.key")
    os.chmod("/tmp/user.key", 0o644)
    try:
        s.OUT = os.environ["XDG_RUNTIME_DIR"] = home
        with Rule(), s.Session(within=IN_SESSION, counted=False) as session:
            player = session.start("player", *AS_TEE_CLIENT, "vitrine-play", clip, "--key", "/tmp/user.key", "--loop", "--json", f"{home}/player.json")
            s.wait_until(lambda: session.output()["protected_surfaces"] or not player.running(), "the first protected frame")
            testing.equal(player.running(), True, f"whether the player runs; it says {player.log()}")
            session.wait_for_frames(5)
            output, panel = session.output(), s.photograph()
            box = ((output["width"] - 640) // 2, (output["height"] - 360) // 2, 640, 360)
            shown = s.crop(panel, box)
            worst = reference.largest_difference(shown, 640, 360, frame_bar.read_frame_number(shown))
            if worst > 2:
                raise AssertionError(f"the video differs from the reference by {worst:.2f} of 255")
            testing.equal(player.stop(), 0, "status of vitrine-play")
    finally:
        s.OUT, os.environ["XDG_RUNTIME_DIR"] = out, runtime


if __name__ == "__main__":
    testing.main(sys.argv[1:])
