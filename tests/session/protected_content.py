#!/usr/bin/env python3
"""vitrine_protected_content_v1, in the guest: every request, every event and every error, by a client that speaks it (wayland.py)."""

import fcntl
import os
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import tee  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import lit_session  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
WIDTH, HEIGHT = 320, 240
NV12 = int.from_bytes(b"NV12", "little")
PLACEHOLDER, COMPOSITED, PLANE = 0, 1, 2
NONE, KERNEL_PROTECTED = 0, 4
REACH_PLANE, REACH_GPU = 1, 2


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


class Protected:
    """A surface with its protection."""

    def __init__(self, session, surface=None, client=None):
        self.client = client or wayland.Client(session.environment)
        self.surface = surface or self.client.bind("wl_compositor").create_surface()
        self.object = self.client.bind("vitrine_protected_content_v1").get_surface(self.surface)

    def attainable(self):
        """The next whole batch, by output."""
        self.client.roundtrip()
        batch = {}
        while True:
            event = self.object.events.pop(0)
            if event.name == "done":
                return batch
            if event.name == "attainable":
                batch[event.output] = event

    def heaps(self):
        """The heap feedback: [(heap, evidence, [(format, reach, modifier)])]."""
        feedback = self.object.get_heap_feedback()
        self.client.roundtrip()
        told, heap = [], None
        for event in feedback.events:
            if event.name == "heap":
                heap = event
            elif event.name == "formats":
                told.append((heap.name_, heap.evidence, list(struct.iter_unpack("=IIQ", event.entries))))
        testing.equal(feedback.events[-1].name, "done", "last event of the feedback")
        feedback.destroy()
        return told


def protected_buffer(client, heap=tee.PROTECTED):
    """An NV12 wl_buffer of protected memory: what is in it does not matter here."""
    fd = tee.allocate(heap, WIDTH * HEIGHT * 3 // 2)
    params = client.bind("zwp_linux_dmabuf_v1").create_params()
    params.add(fd, 0, 0, WIDTH, 0, 0)
    params.add(fd, 1, WIDTH * HEIGHT, WIDTH, 0, 0)
    os.close(fd)
    return params.create_immed(WIDTH, HEIGHT, NV12, 0)


def ordinary_buffer(client):
    """An XRGB8888 wl_buffer in a dma-buf of ordinary memory."""
    size = WIDTH * HEIGHT * 4
    memory = os.memfd_create("ordinary", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.ftruncate(memory, size)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    device = os.open("/dev/udmabuf", os.O_RDWR)
    request = bytearray(struct.pack("IIQQ", memory, 1, 0, size))
    fd = fcntl.ioctl(device, 1 << 30 | 24 << 16 | ord("u") << 8 | 0x42, request)
    params = client.bind("zwp_linux_dmabuf_v1").create_params()
    params.add(fd, 0, 0, WIDTH * 4, 0, 0)
    for used in (memory, device, fd):
        os.close(used)
    return params.create_immed(WIDTH, HEIGHT, int.from_bytes(b"XR24", "little"), 0)


def show(window, buffer):
    window.surface.attach(buffer, 0, 0)
    window.surface.damage(0, 0, WIDTH, HEIGHT)
    window.surface.commit()
    window.client.roundtrip()


@on("full", "plane-only", "gpu-only", "no-gpu", "no-heap")
def what_can_be_had_is_told_before_anything_is_allocated():
    expected = {
        "full": (PLANE, None, REACH_PLANE | REACH_GPU),
        "plane-only": (PLANE, None, REACH_PLANE),
        "no-gpu": (PLANE, None, REACH_PLANE),
        "gpu-only": (PLANE, None, REACH_PLANE | REACH_GPU),  # the primary: it takes a video that fills the screen
        "no-heap": (PLACEHOLDER, "HeapAbsent", None),
    }
    path, refusal, reach = expected[PROFILE]
    with lit_session() as session:
        protected = Protected(session)
        (answer,) = protected.attainable().values()
        testing.equal(answer.output, session.output()["name"], "output")
        testing.equal((answer.path, answer.refusal), (path, refusal), "best path and refusal")
        testing.equal(answer.reason is None, refusal is None, "whether there is no reason in words")
        heaps = protected.heaps()
        if reach is None:
            testing.equal(heaps, [], "heaps")
            return
        testing.equal(answer.evidence, KERNEL_PROTECTED, "evidence that can be had")
        name, evidence, formats = heaps[0]
        testing.equal((name, evidence), (tee.PROTECTED, KERNEL_PROTECTED), "best heap")
        linear = {fourcc: reached for fourcc, reached, modifier in formats if modifier == 0}
        testing.equal(linear[NV12] & reach, reach, "who reads NV12 of that heap")
        if PROFILE in ("plane-only", "no-gpu") and any(reached & REACH_GPU for _, reached, _ in formats):
            raise AssertionError("a renderer without protected memory is said to read protected buffers")


@on("full", "plane-only")
def the_outcome_is_told_when_it_changes():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client)
        protected = Protected(session, window.surface, client)
        client.show(window.surface, *window.size, window.colour)
        told = client.expect(protected.object, "outcome")
        testing.equal((told.path, told.evidence), (COMPOSITED, NONE), "an ordinary buffer's path and evidence")
        show(window, protected_buffer(client))
        told = client.expect(protected.object, "outcome", path=PLANE)
        testing.equal((told.evidence, told.refusal, told.output), (KERNEL_PROTECTED, None, session.output()["name"]), "outcome")
        client.show(window.surface, *window.size, window.colour)
        client.expect(protected.object, "outcome", path=COMPOSITED)


@on("untrusted-display")
def a_refusal_is_told_by_name_and_in_words():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client)
        protected = Protected(session, window.surface, client)
        show(window, protected_buffer(client))
        told = client.expect(protected.object, "outcome", path=PLACEHOLDER, refusal="PlaneCommitFailed")
        testing.equal(bool(told.reason), True, "whether there is a reason in words")


@on("full")
def content_without_the_demanded_evidence_is_the_placeholder_for_everybody():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=(0xC8, 0, 0))
        protected = Protected(session, window.surface, client)
        protected.object.require_evidence("kernel_protected")
        client.roundtrip()
        testing.equal(bool((s.photograph() == window.colour).all(axis=2).any()), True, "whether it is shown before the commit")
        client.show(window.surface, *window.size, window.colour)
        client.expect(protected.object, "outcome", path=PLACEHOLDER, refusal="ClaimWithoutEvidence")
        for picture in (s.photograph(), session.screenshot()):
            testing.equal(bool((picture == window.colour).all(axis=2).any()), False, "whether the content is seen")
        show(window, protected_buffer(client))
        client.expect(protected.object, "outcome", path=PLANE, evidence=KERNEL_PROTECTED)
        protected.object.destroy()  # withdrawn by the next commit
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        s.wait_until(lambda: (s.photograph() == window.colour).all(axis=2).any(), "the window without requirements", 60)


@on("full")
def attainable_follows_the_requirements():
    with lit_session('[output]\nprotected = "deny"\n') as session:
        protected = Protected(session)
        (answer,) = protected.attainable().values()
        testing.equal((answer.path, answer.refusal), (PLACEHOLDER, "OutputNotAllowed"), "on an output that is denied")
    with lit_session() as session:
        protected = Protected(session)
        (answer,) = protected.attainable().values()
        testing.equal(answer.path, PLANE, "best path")
        protected.object.require_hdcp("type1")
        protected.surface.commit()
        answers = protected.attainable() if answer.hdcp < 2 else None
        if answers is not None:
            (answer,) = answers.values()
            testing.equal((answer.path, answer.refusal), (PLACEHOLDER, "OutputNotAllowed"), "without HDCP")
            protected.object.require_hdcp("off")
            protected.surface.commit()
            (answer,) = protected.attainable().values()
            testing.equal(answer.path, PLANE, "best path again")


@on("full", "untrusted-display")
def the_player_asks_first_and_reports_what_it_was_told():
    outcome = {"full": ("plane", None), "untrusted-display": ("placeholder", "PlaneCommitFailed")}[PROFILE]
    with lit_session() as session:
        player = s.video_on_panel(session, s.make_clip())
        testing.equal(player.stop(), 0, "status of vitrine-play")
        report = player.report()
        testing.equal([(told["path"], told["refusal"]) for told in report["attainable"]], [("plane", None)], "what can be had")
        last = report["outcomes"][-1]
        testing.equal((last["path"], last["refusal"], last["output"]), (*outcome, session.output()["name"]), "what became of it")


@on("full")
def the_player_says_why_an_output_cannot_show_it():
    with lit_session('[output]\nprotected = "deny"\n') as session:
        player = s.video_on_panel(session, s.make_clip())
        testing.equal(player.stop(), 0, "status of vitrine-play")
        testing.equal(player.report()["attainable"][0]["refusal"], "OutputNotAllowed", "why not")
        if "this output may not show protected content (OutputNotAllowed)" not in player.log():
            raise AssertionError(f"the player does not say why: {player.log()}")


@on("full")
def wrong_requests_get_their_errors():
    def gone(request, *arguments):
        def attempt(protected):
            protected.surface.destroy()
            getattr(protected.object, request)(*arguments)
        return attempt

    surface = "vitrine_protected_surface_v1"
    cases = [
        (("vitrine_protected_content_v1", "surface_exists"),
         lambda protected: protected.client.bind("vitrine_protected_content_v1").get_surface(protected.surface)),
        ((surface, "invalid_evidence"), lambda protected: protected.object.require_evidence(5)),
        ((surface, "invalid_hdcp"), lambda protected: protected.object.require_hdcp(3)),
        ((surface, "inert"), gone("require_evidence", "none")),
        ((surface, "inert"), gone("require_hdcp", "off")),
        ((surface, "inert"), gone("get_heap_feedback")),
    ]
    with lit_session() as session:
        for error, attempt in cases:
            protected = Protected(session)
            testing.equal(protected.client.error_of(lambda: attempt(protected)), error, "error")


@on("full")
def objects_may_go_in_any_order():
    with lit_session() as session:
        for order in (("feedback", "object", "surface"), ("surface", "feedback", "object"), ("object", "surface", "feedback"),
                      ("surface", "object", "feedback")):
            protected = Protected(session)
            things = {"feedback": protected.object.get_heap_feedback(), "object": protected.object, "surface": protected.surface}
            manager = protected.client.bind("vitrine_protected_content_v1")
            manager.destroy()
            protected.object.require_evidence("unmappable")
            protected.surface.commit()
            for name in order:
                things[name].destroy()
                protected.client.roundtrip()
            again = Protected(session, client=protected.client)
            again.attainable()
            first = again.object
            first.destroy()
            testing.equal(len(Protected(session, again.surface, protected.client).attainable()), 1, "outputs of a second object")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
