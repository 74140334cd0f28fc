#!/usr/bin/env python3
"""Captures, in the guest: every request and every error of wlr-screencopy, by a client that speaks it (wayland.py)."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from capture_buffers import ARGB8888, XRGB8888, Dmabuf, Memory, box_of  # noqa: E402
from connectors import LEFT, RIGHT, board, switched_away, unplug, wait_for_outputs  # noqa: E402
from hands import BLUE, GREEN, Hands, lit_session, names, recorded_desk  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


class Shot:
    """One zwlr_screencopy_frame_v1, with a buffer of the size that it asks for."""

    def __init__(self, client, manager=None, cursor=0, region=None, output=0):
        self.client = client
        manager = manager or client.bind("zwlr_screencopy_manager_v1")
        bound = client.bind("wl_output", index=output)
        self.frame = manager.capture_output_region(cursor, bound, *region) if region else manager.capture_output(cursor, bound)
        client.roundtrip()
        self.failed = "failed" in names(self.frame)
        self.memory = None
        if not self.failed:
            offered = client.expect(self.frame, "buffer")
            self.size = (offered.width, offered.height)
            testing.equal(offered.stride, offered.width * 4, "stride")
            told = client.expect(self.frame, "linux_dmabuf")
            testing.equal((told.format, told.width, told.height), (XRGB8888, *self.size), "what is said of dma-bufs")
            client.expect(self.frame, "buffer_done")
            self.memory = Memory(client, *self.size)

    def copy(self):
        """The pixels of a capture at once."""
        self.frame.copy(self.memory.buffer)
        self.client.expect(self.frame, "ready")
        return self.memory.pixels()

    def begin(self):
        self.frame.copy_with_damage(self.memory.buffer)
        self.client.roundtrip()
        return self

    def damage(self):
        """Awaits the picture: the boxes that have changed."""
        self.client.expect(self.frame, "flags")
        end = None
        while end is None:
            end = next((index for index, event in enumerate(self.frame.events) if event.name == "ready"), None)
            if end is None:
                self.client.dispatch(1)
        return [(event.x, event.y, event.width, event.height) for event in self.frame.events[:end] if event.name == "damage"]

    def pending(self):
        """Whether it is still to come."""
        self.client.roundtrip()
        return not {"ready", "failed"} & set(names(self.frame))


@on("full")
def a_capture_has_the_pointer_only_where_it_was_asked_for():
    with lit_session() as session:
        hands = Hands(session)
        hands.to(200, 100)
        client = wayland.Client(session.environment)
        without, with_it = Shot(client).copy(), Shot(client, cursor=1).copy()
        testing.equal((without == s.DESKTOP).all(), True, "whether a capture without the pointer shows the desktop alone")
        x, y, width, height = s.find_box(without, with_it)
        testing.equal((x <= 200 < x + width and y <= 100 < y + height and width <= 64), True, f"the pointer at {x},{y} {width}x{height}")
        s.wait_until(lambda: (s.photograph() == with_it).all(), "a panel that shows what the capture with the pointer has")


@on("full")
def a_region_is_clipped_to_the_output():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=GREEN)
        s.wait_until(lambda: (s.photograph() == GREEN).all(axis=2).any(), "the window on the panel")
        whole = Shot(client).copy()
        height, width = whole.shape[:2]
        x, y = box_of(whole, GREEN)[:2]
        cut = Shot(client, region=(x - 10, y - 5, 40, 30))
        testing.equal((cut.copy() == whole[y - 5 : y + 25, x - 10 : x + 30]).all(), True, "whether a region shows its part of the output")
        testing.equal(Shot(client, region=(-10, -20, 30, 30)).size, (20, 10), "size of a region over the left upper corner")
        testing.equal(Shot(client, region=(width - 7, height - 5, 100, 100)).size, (7, 5), "size of a region over the right lower corner")
        most = (1 << 31) - 1
        testing.equal(Shot(client, region=(-1, -1, most, most)).size, (width, height), "size of a region around the output")
        for empty in ((width, 0, 10, 10), (0, -10, 10, 10), (10, 10, 0, 10), (10, 10, 10, -1), (most, most, most, most), (-most, 0, 5, 5)):
            testing.equal(Shot(client, region=empty).failed, True, f"whether the capture of {empty} failed")
        window.toplevel.destroy()


@on("full")
def wrong_buffers_and_a_second_copy_are_the_clients_error():
    region = (0, 0, 64, 32)
    buffers = {
        "a smaller buffer": lambda client: Memory(client, 63, 32).buffer,
        "a larger buffer": lambda client: Memory(client, 64, 33).buffer,
        "another stride": lambda client: Memory(client, 64, 32, stride=260).buffer,
        "another format": lambda client: Memory(client, 64, 32, form="argb8888").buffer,
        "a single pixel": lambda client: client.bind("wp_single_pixel_buffer_manager_v1").create_u32_rgba_buffer(0, 0, 0, 0),
        "a smaller dma-buf": lambda client: Dmabuf(client, 63, 32).buffer,
        "a dma-buf of another format": lambda client: Dmabuf(client, 64, 32, ARGB8888).buffer,
    }
    with lit_session() as session:
        for what, make in buffers.items():
            for request in ("copy", "copy_with_damage"):
                client = wayland.Client(session.environment)
                shot, buffer = Shot(client, region=region), make(client)
                error = client.error_of(lambda: getattr(shot.frame, request)(buffer))
                testing.equal(error, ("zwlr_screencopy_frame_v1", "invalid_buffer"), f"error of {request} into {what}")
                client.close()
        for first, second in (("copy", "copy"), ("copy", "copy_with_damage"), ("copy_with_damage", "copy")):
            client = wayland.Client(session.environment)
            shot = Shot(client, region=region)
            getattr(shot.frame, first)(shot.memory.buffer)
            client.expect(shot.frame, "ready")
            error = client.error_of(lambda: getattr(shot.frame, second)(shot.memory.buffer))
            testing.equal(error, ("zwlr_screencopy_frame_v1", "already_used"), f"error of {second} after {first}")
            client.close()
        client = wayland.Client(session.environment)
        good = Shot(client, region=region)
        good.frame.copy(Dmabuf(client, 64, 32).buffer)
        client.expect(good.frame, "ready")
        good.frame.destroy()
        manager = client.bind("zwlr_screencopy_manager_v1")
        kept = Shot(client, manager, region=region)
        manager.destroy()
        testing.equal(kept.copy().shape, (32, 64, 3), "a capture after its manager was destroyed")


@on("full")
def a_recorder_waits_for_changes_is_told_them_and_costs_nothing_until_then():
    with lit_session() as session:
        hands, client, drawer, window = recorded_desk(session)
        manager = client.bind("zwlr_screencopy_manager_v1")
        first = Shot(client, manager).begin()
        height, width = s.photograph().shape[:2]
        testing.equal(first.damage(), [(0, 0, width, height)], "damage of the first picture")
        box = box_of(first.memory.pixels(), GREEN)

        second = Shot(client, manager).begin()
        corner = Shot(client, manager, region=(0, 0, 64, 32)).begin()
        corner.damage()
        corner = Shot(client, manager, region=(0, 0, 64, 32)).begin()
        before, views = session.calls(), session.output()["public_views"]
        hands.to(60, 60)  # a frame, of which a capture without the pointer shows nothing
        session.wait_for_frames(0)
        s.wait_until(lambda: session.calls()["atomic_commits"] > before["atomic_commits"], "the frame of a motion")
        testing.equal(second.pending(), True, "whether the recorder waits while only the pointer moves")
        testing.equal(session.output()["public_views"], views, "pictures drawn for it until then")

        drawer.show(window.surface, *box[2:], BLUE)
        testing.equal(second.damage(), [box], "damage of a window that changed its colour")
        testing.equal(box_of(second.memory.pixels(), BLUE), box, "where the capture has the new colour")
        testing.equal(corner.pending(), True, "whether a recorder of another region waits")
        testing.equal(session.output()["public_views"], views + 1, "pictures drawn for one change")
        session.screenshot()


@on("full")
def a_capture_costs_no_frame_of_the_output():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        Shot(client).copy()
        before, frames = session.calls(), session.output()["frames_presented"]
        for _ in range(5):
            Shot(client).copy()
        after = session.calls()
        testing.equal(after["vulkan_submits"] > before["vulkan_submits"], True, "whether pictures were drawn")
        testing.equal(after["atomic_commits"] - before["atomic_commits"], 0, "commits for five captures")
        testing.equal(session.output()["frames_presented"] - frames, 0, "frames for five captures")


@on("full")
def a_capture_of_what_shows_nothing_fails_at_once():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        manager = client.bind("zwlr_screencopy_manager_v1")
        Shot(client, manager).begin().damage()
        waiting, told = Shot(client, manager).begin(), Shot(client, manager)
        power = client.bind("zwlr_output_power_manager_v1").get_output_power(client.bind("wl_output"))
        power.set_mode("off")
        client.expect(waiting.frame, "failed")
        testing.equal(Shot(client, manager).failed, True, "whether a capture of an output that is off fails")
        told.frame.copy(told.memory.buffer)
        client.expect(told.frame, "failed")
        power.set_mode("on")
        s.wait_until(lambda: not Shot(client, manager).failed, "the output to be on again")
        waiting = Shot(client, manager).begin()
        if "ready" in names(waiting.frame):
            waiting = Shot(client, manager).begin()
        with switched_away(session):
            client.expect(waiting.frame, "failed")
            testing.equal(Shot(client, manager).failed, True, "whether a capture fails while another session is in front")
        s.wait_until(lambda: not Shot(client, manager).failed, "the session to be back")
        testing.equal(Shot(client, manager).copy().shape[2], 3, "a capture after that")


@on("two-outputs")
def captures_of_an_output_that_goes_fail():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        client = wayland.Client(session.environment)
        manager = client.bind("zwlr_screencopy_manager_v1")
        Shot(client, manager, output=1).begin().damage()
        waiting, told = Shot(client, manager, output=1).begin(), Shot(client, manager, output=1)
        gone = client.bind("wl_output", index=1)
        client.roundtrip()
        unplug(RIGHT)
        client.expect(waiting.frame, "failed")
        told.frame.copy(told.memory.buffer)
        client.expect(told.frame, "failed")
        late = manager.capture_output(0, gone)
        client.expect(late, "failed")
        testing.equal(Shot(client, manager).copy().shape[2], 3, "a capture of the output that stays")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
