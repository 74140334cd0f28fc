#!/usr/bin/env python3
"""Captures, in the guest: every request and every error of ext-image-copy-capture, by a client that speaks it (wayland.py)."""

import os
import struct
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from capture_buffers import ARGB8888, XRGB8888, Dmabuf, Memory, box_of  # noqa: E402
from connectors import LEFT, RIGHT, board, unplug, wait_for_outputs  # noqa: E402
from hands import BLUE, GREEN, RED, Hands, lit_session, names, recorded_desk  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
SESSION, FRAME = "ext_image_copy_capture_session_v1", "ext_image_copy_capture_frame_v1"


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


def output_source(client, index=0):
    return client.bind("ext_output_image_capture_source_manager_v1").create_source(client.bind("wl_output", index=index))


class Recorder:
    """One ext_image_copy_capture_session_v1."""

    def __init__(self, client, source=None, options=0):
        self.client = client
        self.source = source or output_source(client)
        self.session = client.bind("ext_image_copy_capture_manager_v1").create_session(self.source, options)
        self.memory = None

    def constraints(self):
        """Awaits the next ones: the size of its pictures."""
        size = self.client.expect(self.session, "buffer_size")
        testing.equal(self.client.expect(self.session, "shm_format").format, 1, "format in shared memory")  # xrgb8888
        self.device = struct.unpack("=Q", self.client.expect(self.session, "dmabuf_device").device)[0]
        told = self.client.expect(self.session, "dmabuf_format")
        testing.equal((told.format, 0 in struct.unpack(f"={len(told.modifiers) // 8}Q", told.modifiers)), (XRGB8888, True),
                      "what is said of dma-bufs, and whether they may be linear")
        self.client.expect(self.session, "done")
        return size.width, size.height

    def frame(self, memory=None):
        """A frame whose picture was asked for, into a buffer that fits by default."""
        self.memory = memory or self.memory or Memory(self.client, *self.constraints())
        frame = self.session.create_frame()
        frame.attach_buffer(self.memory.buffer)
        frame.damage_buffer(0, 0, self.memory.width, self.memory.height)
        frame.capture()
        self.client.roundtrip()
        return frame

    def take(self, frame):
        """Awaits its picture, and destroys it: what was told of it."""
        told = {"damage": []}
        while "ready" not in told:
            while frame.events:
                event = frame.events.pop(0)
                if event.name == "failed":
                    raise AssertionError(f"the capture failed: {event}")
                if event.name == "damage":
                    told["damage"].append((event.x, event.y, event.width, event.height))
                else:
                    told[event.name] = event
            if "ready" not in told:
                self.client.dispatch(1)
        frame.destroy()
        return told

    def picture(self, memory=None):
        """The pixels of the next picture."""
        self.take(self.frame(memory))
        return self.memory.pixels()


def reason_of(client, frame):
    """Why it failed."""
    reason = client.expect(frame, "failed").reason
    return next(name for name, value in wayland.INTERFACES[FRAME].enums["failure_reason"].items() if value == reason)


def pending(client, frame):
    """Whether its picture is still to come."""
    client.roundtrip()
    return not {"ready", "failed"} & set(names(frame))


@on("full")
def a_picture_of_an_output_is_what_its_panel_shows():
    with lit_session() as session:
        hands = Hands(session)
        client = wayland.Client(session.environment)
        wayland.Window(client, colour=GREEN)
        hands.to(200, 100)
        s.wait_until(lambda: (s.photograph() == GREEN).all(axis=2).any(), "the window on the panel")
        panel = s.photograph()
        height, width = panel.shape[:2]
        recorder = Recorder(client, options="paint_cursors")
        testing.equal(recorder.constraints(), (width, height), "size of the pictures")
        feedback = client.bind("zwp_linux_dmabuf_v1").get_default_feedback()
        main = struct.unpack("=Q", client.expect(feedback, "main_device").device)[0]
        testing.equal(recorder.device, main, "where to allocate dma-bufs, beside what linux-dmabuf says")
        for memory in (Memory(client, width, height), Memory(client, width, height, stride=width * 4 + 64), Dmabuf(client, width, height)):
            before = time.monotonic()
            recorder = Recorder(client, options="paint_cursors")
            told = recorder.take(recorder.frame(memory))
            testing.equal((memory.pixels() == panel).all(), True, f"whether a picture in {type(memory).__name__} is the panel's")
            testing.equal(told["damage"], [(0, 0, width, height)], "damage of the first picture")
            testing.equal(told["transform"].transform, 0, "transform")
            at = told["presentation_time"]
            taken = (at.tv_sec_hi << 32) + at.tv_sec_lo + at.tv_nsec / 1e9
            testing.equal(before <= taken <= time.monotonic(), True, f"whether {taken} is between the request and now")
        without = Recorder(client).picture()
        x, y, *_ = s.find_box(without, panel)
        testing.equal((x <= 200 < x + 64 and y <= 100 < y + 64), True, f"the pointer, which is not in the other capture, at {x},{y}")


@on("full")
def a_recorder_is_told_the_changes_and_costs_nothing_until_then():
    with lit_session() as session:
        hands, client, drawer, window = recorded_desk(session)
        recorder = Recorder(client)
        box = box_of(recorder.picture(), GREEN)
        frame = recorder.frame()
        commits, views = session.calls()["atomic_commits"], session.output()["public_views"]
        hands.to(60, 60)  # a frame, of which a capture without the pointer shows nothing
        s.wait_until(lambda: session.calls()["atomic_commits"] > commits, "the frame of a motion")
        testing.equal(pending(client, frame), True, "whether the recorder waits while only the pointer moves")
        testing.equal(session.output()["public_views"], views, "pictures drawn for it until then")
        drawer.show(window.surface, *box[2:], BLUE)
        testing.equal(recorder.take(frame)["damage"], [box], "damage of a window that changed its colour")
        testing.equal(box_of(recorder.memory.pixels(), BLUE), box, "where the capture has the new colour")
        other = Recorder(client)
        testing.equal(other.take(other.frame())["damage"], [(0, 0, recorder.memory.width, recorder.memory.height)],
                      "damage of the first picture of another session")


@on("full")
def requests_that_break_the_protocol_are_the_clients_error():
    def frame(client, *requests):
        recorder = Recorder(client)
        made = recorder.session.create_frame()
        memory = Memory(client, *recorder.constraints())
        for request in requests:
            if request == "attach":
                made.attach_buffer(memory.buffer)
            elif request == "capture":
                made.capture()
            else:
                made.damage_buffer(*request)

    def cursor(client):
        manager = client.bind("ext_image_copy_capture_manager_v1")
        made = manager.create_pointer_cursor_session(output_source(client), client.bind("wl_seat").get_pointer())
        made.get_capture_session()
        made.get_capture_session()

    def second_frame(client):
        recorder = Recorder(client)
        recorder.session.create_frame()
        recorder.session.create_frame()

    box = (0, 0, 1, 1)
    breaks = [
        ("a capture without a buffer", lambda client: frame(client, "capture"), (FRAME, "no_buffer")),
        ("a capture with damage alone", lambda client: frame(client, box, "capture"), (FRAME, "no_buffer")),
        ("a second capture", lambda client: frame(client, "attach", "capture", "capture"), (FRAME, "already_captured")),
        ("a buffer after the capture", lambda client: frame(client, "attach", "capture", "attach"), (FRAME, "already_captured")),
        ("damage after the capture", lambda client: frame(client, "attach", "capture", box), (FRAME, "already_captured")),
        ("a second frame", second_frame, (SESSION, "duplicate_frame")),
        ("an unknown option", lambda client: Recorder(client, options=2), ("ext_image_copy_capture_manager_v1", "invalid_option")),
        ("a second capture session of a cursor", cursor, ("ext_image_copy_capture_cursor_session_v1", "duplicate_session")),
    ]
    for wrong in ((-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, -1, 1), (0, 0, 1, -1)):
        breaks.append((f"damage {wrong}", lambda client, wrong=wrong: frame(client, "attach", wrong), (FRAME, "invalid_buffer_damage")))
    with lit_session() as session:
        hands = Hands(session)  # with a pointer
        client = wayland.Client(session.environment)
        manager = client.bind("ext_image_copy_capture_manager_v1")
        shown = manager.create_pointer_cursor_session(output_source(client), client.bind("wl_seat").get_pointer())
        captured = shown.get_capture_session()
        client.expect(captured, "stopped")
        shown.destroy()
        client.roundtrip()
        for what, attempt, error in breaks:
            client = wayland.Client(session.environment)
            testing.equal(client.error_of(lambda client=client, attempt=attempt: attempt(client)), error, f"error of {what}")
            client.close()
        hands.client.close()


@on("full")
def a_buffer_that_does_not_fit_fails_with_the_reason():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        recorder = Recorder(client)
        width, height = recorder.constraints()
        pixel = Memory(client, 1, 1)
        pixel.buffer = client.bind("wp_single_pixel_buffer_manager_v1").create_u32_rgba_buffer(0, 0, 0, 0)
        buffers = {
            "a smaller buffer": Memory(client, width - 1, height),
            "a larger buffer": Memory(client, width, height + 1),
            "another format": Memory(client, width, height, form="argb8888"),
            "a single pixel": pixel,
            "a smaller dma-buf": Dmabuf(client, width, height - 1),
            "a dma-buf of another format": Dmabuf(client, width, height, ARGB8888),
        }
        for what, memory in buffers.items():
            frame = recorder.frame(memory)
            testing.equal(reason_of(client, frame), "buffer_constraints", f"reason for {what}")
            frame.destroy()
        testing.equal(recorder.picture(Memory(client, width, height)).shape, (height, width, 3), "a picture after that")


@on("full")
def objects_outlive_those_that_made_them():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        sources = client.bind("ext_output_image_capture_source_manager_v1")
        source = sources.create_source(client.bind("wl_output"))
        sources.destroy()
        manager = client.bind("ext_image_copy_capture_manager_v1")
        recorder = Recorder.__new__(Recorder)
        recorder.client, recorder.session, recorder.memory = client, manager.create_session(source, 0), None
        manager.destroy()
        source.destroy()
        testing.equal(recorder.picture().shape[2], 3, "a picture after its managers and its source were destroyed")
        frame = recorder.frame()
        recorder.session.destroy()
        testing.equal(pending(client, frame), True, "whether a frame whose session was destroyed waits for a change")
        wayland.Window(client, colour=GREEN)
        recorder.take(frame)
        testing.equal((recorder.memory.pixels() == GREEN).all(axis=2).any(), True, "whether it shows the change")


@on("full")
def protected_video_is_the_placeholder():
    with s.Session() as session:
        s.video_on_panel(session, s.make_clip())
        picture = Recorder(wayland.Client(session.environment), options="paint_cursors").picture()
        box = s.find_box(s.photograph(), picture)
        testing.equal(box[2:], (640, 360), "size of what differs from the panel")
        testing.equal(s.only_placeholder(s.crop(picture, box)), True, "whether the capture has the placeholder there")


@on("full")
def a_capture_of_an_output_that_is_off_waits():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        power = client.bind("zwlr_output_power_manager_v1").get_output_power(client.bind("wl_output"))
        recorder = Recorder(client)
        recorder.picture()
        waiting = recorder.frame()
        power.set_mode("off")
        client.expect(power, "mode", mode=0)
        s.wait_until(lambda: not session.output()["on"], "the output to be off")
        testing.equal(pending(client, waiting), True, "whether the capture waits")
        late = Recorder(client)
        client.roundtrip()
        testing.equal(names(late.session), [], "what is told of a source that shows nothing")
        power.set_mode("on")
        testing.equal(late.picture().shape[2], 3, "a picture of a session from before")
        wayland.Window(client, colour=GREEN)
        recorder.take(waiting)


@on("full")
def another_mode_has_other_constraints():
    with lit_session() as session:
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        manager = other.bind("zwlr_output_manager_v1")
        head = other.expect(manager, "head").head
        serial = other.expect(manager, "done").serial
        recorder = Recorder(client)
        recorder.picture()
        waiting = recorder.frame()
        asked = manager.create_configuration(serial)
        enabled = asked.enable_head(head)
        enabled.set_custom_mode(800, 600, 0)
        enabled.set_transform("90")
        asked.apply()
        other.expect(asked, "succeeded")
        testing.equal(reason_of(client, waiting), "buffer_constraints", "reason for a picture of the size before")
        waiting.destroy()
        testing.equal(recorder.constraints(), (800, 600), "size of the pictures")
        told = recorder.take(recorder.frame(Memory(client, 800, 600)))
        testing.equal((told["damage"], told["transform"].transform), ([(0, 0, 800, 600)], 1), "damage and transform")


class Windows:
    """What a recorder of windows knows of them, by title."""

    def __init__(self, client):
        self.client, self.handles = client, {}
        self.list = client.bind("ext_foreign_toplevel_list_v1")

    def handle(self, title):
        while title not in self.handles:
            handle = self.client.expect(self.list, "toplevel").toplevel
            self.handles[self.client.expect(handle, "title").title] = handle
        return self.handles[title]

    def source(self, title):
        return self.client.bind("ext_foreign_toplevel_image_capture_source_manager_v1").create_source(self.handle(title))

    def recorder(self, title, **how):
        return Recorder(self.client, self.source(title), **how)


def add_subsurface(client, window, x, y):
    """A desynchronised one that has no picture yet."""
    surface = client.bind("wl_compositor").create_surface()
    placed = client.bind("wl_subcompositor").get_subsurface(surface, window.surface)
    placed.set_position(x, y)
    placed.set_desync()
    window.surface.commit()
    client.roundtrip()
    return surface


@on("full")
def a_picture_of_a_window_is_that_window_alone():
    with lit_session() as session:
        hands = Hands(session)
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        windows = Windows(client)
        window = wayland.Window(other, colour=GREEN, title="below")
        s.wait_until(lambda: (s.photograph() == GREEN).all(axis=2).any(), "the window on the panel")
        x, y, width, height = box_of(s.photograph(), GREEN)
        wayland.Window(other, colour=BLUE, title="above", size=(120, 80), parent=window)
        s.wait_until(lambda: (s.photograph() == BLUE).all(axis=2).any(), "its dialog on the panel")
        recorder = windows.recorder("below")
        testing.equal(recorder.constraints(), window.size, "size of the pictures")
        told = recorder.take(recorder.frame(Memory(client, *window.size)))
        testing.equal((recorder.memory.pixels() == GREEN).all(), True, "whether the window below its dialog is whole")
        testing.equal((told["damage"], told["transform"].transform), ([(0, 0, *window.size)], 0), "damage and transform")
        inside = add_subsurface(other, window, 250, 150)
        frame = recorder.frame()
        testing.equal(pending(client, frame), True, "whether a recorder waits for a change")
        other.show(inside, 50, 40, RED)
        testing.equal(recorder.take(frame)["damage"], [(250, 150, 50, 40)], "damage of a subsurface that begins to be shown")
        testing.equal(box_of(recorder.memory.pixels(), RED), (250, 150, 50, 40), "where it is in the picture")
        hands.to(x + 10, y + 10)
        with_pointer = windows.recorder("below", options="paint_cursors")
        picture = with_pointer.picture()
        at_x, at_y, at_width, at_height = s.find_box(recorder.memory.pixels(), picture)
        testing.equal((at_x <= 10 < at_x + at_width and at_y <= 10 < at_y + at_height), True, f"the pointer at {at_x},{at_y}")
        frame = with_pointer.frame()
        hands.to(x + 40, y + 10)
        testing.equal(len(with_pointer.take(frame)["damage"]), 2, "boxes of damage of a pointer that moved")
        frame = with_pointer.frame()
        hands.to(x + width // 2, y + height // 2)  # over the dialog
        with_pointer.take(frame)
        testing.equal((with_pointer.memory.pixels() == recorder.memory.pixels()).all(), True, "whether a pointer over the dialog is left out")


@on("full")
def a_window_that_nothing_shows_goes_on():
    with lit_session() as session:
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        windows = Windows(client)
        window = wayland.Window(other, colour=GREEN, title="hidden")
        recorder = windows.recorder("hidden")
        recorder.picture()

        def goes_on(what):
            s.wait_until(lambda: not (s.photograph() == GREEN).all(axis=2).any(), f"the window to be {what}")
            for colour in (BLUE, RED, GREEN):
                frame = recorder.frame()
                callback = window.surface.frame()
                window.surface.commit()
                other.expect(callback, "done")
                other.show(window.surface, *window.size, colour)
                recorder.take(frame)
                testing.equal((recorder.memory.pixels() == colour).all(), True, f"whether the picture of a window that is {what} is {colour}")

        above = wayland.Window(other, colour=(1, 2, 3), title="above")
        above.toplevel.set_maximized()
        above.await_state("maximized")
        goes_on("covered")
        window.toplevel.set_minimized()
        other.roundtrip()
        goes_on("minimised")


@on("full")
def a_window_of_another_size_has_other_constraints_and_one_that_goes_stops():
    with lit_session("[output]\nscale = 2\n") as session:
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        windows = Windows(client)
        window = wayland.Window(other, colour=GREEN, title="window", size=(100, 60))
        recorder, idle = windows.recorder("window"), windows.recorder("window")
        testing.equal(recorder.constraints(), (200, 120), "size in pixels of an output of scale 2")
        testing.equal((recorder.picture(Memory(client, 200, 120)) == GREEN).all(), True, "whether it shows the window")
        waiting = recorder.frame()
        other.show(window.surface, 80, 60, GREEN)
        testing.equal(reason_of(client, waiting), "buffer_constraints", "reason for a picture of the size before")
        waiting.destroy()
        testing.equal(recorder.constraints(), (160, 120), "size of the smaller window")
        recorder.picture(Memory(client, 160, 120))
        outside = add_subsurface(other, window, 70, 50)
        waiting = recorder.frame()
        other.show(outside, 100, 100, BLUE)
        testing.equal(reason_of(client, waiting), "buffer_constraints", "reason for a window that became larger")
        waiting.destroy()
        testing.equal(recorder.constraints(), (340, 300), "size of a window with a subsurface that reaches outside")
        window.xdg.set_window_geometry(10, 5, 40, 30)
        window.surface.commit()
        other.roundtrip()
        testing.equal(recorder.constraints(), (80, 60), "size of what counts as window")
        recorder.picture(Memory(client, 80, 60))
        waiting = recorder.frame()
        source = windows.source("window")
        window.surface.attach(None, 0, 0)
        window.surface.commit()
        other.flush()
        testing.equal(reason_of(client, waiting), "stopped", "reason once the window is unmapped")
        for stopped in (recorder.session, idle.session, Recorder(client, source).session, windows.recorder("window").session):
            client.expect(stopped, "stopped")


@on("full")
def a_locked_session_shows_no_window_to_a_recorder():
    with lit_session() as session:
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)
        windows = Windows(client)
        window = wayland.Window(other, colour=GREEN, title="window")
        recorder = windows.recorder("window")
        recorder.picture()
        waiting = recorder.frame()
        locker = wayland.Client(session.environment)
        lock = locker.bind("ext_session_lock_manager_v1").lock()
        locker.expect(lock, "locked")
        other.show(window.surface, *window.size, BLUE)
        other.roundtrip()
        testing.equal(pending(client, waiting), True, "whether the capture waits")
        late = windows.recorder("window")
        client.roundtrip()
        testing.equal(names(late.session), [], "what is told of a window in a locked session")
        lock.unlock_and_destroy()
        locker.roundtrip()
        recorder.take(waiting)
        testing.equal((recorder.memory.pixels() == BLUE).all(), True, "whether the picture is of the window as it is then")


@on("full")
def protected_video_in_a_window_is_the_placeholder():
    with s.Session() as session:
        s.video_on_panel(session, s.make_clip())
        client = wayland.Client(session.environment)
        listed = client.bind("ext_foreign_toplevel_list_v1")
        handle = client.expect(listed, "toplevel").toplevel
        manager = client.bind("ext_foreign_toplevel_image_capture_source_manager_v1")
        source = manager.create_source(handle)
        manager.destroy()
        picture = Recorder(client, source).picture()
        testing.equal(picture.shape, (360, 640, 3), "size of the picture")
        testing.equal(s.only_placeholder(picture), True, "whether it is all placeholder")


@on("two-outputs")
def the_session_of_an_output_that_goes_stops():
    with board(), s.Session() as session:
        wait_for_outputs(session, LEFT, RIGHT)
        client = wayland.Client(session.environment)
        source = output_source(client, 1)
        gone = client.bind("wl_output", index=1)
        recorder, idle = Recorder(client, source), Recorder(client, source)
        recorder.picture()
        waiting = recorder.frame()
        made = idle.session.create_frame()
        made.attach_buffer(Memory(client, *idle.constraints()).buffer)
        client.roundtrip()
        unplug(RIGHT)
        testing.equal(reason_of(client, waiting), "stopped", "reason for a picture that was waited for")
        for stopped in (recorder.session, idle.session):
            client.expect(stopped, "stopped")
        made.capture()
        testing.equal(reason_of(client, made), "stopped", "reason for a capture after that")
        manager = client.bind("ext_output_image_capture_source_manager_v1")
        for late in (source, manager.create_source(gone)):
            client.expect(Recorder(client, late).session, "stopped")
        testing.equal(Recorder(client).picture().shape[2], 3, "a capture of the output that stays")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
