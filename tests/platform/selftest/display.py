#!/usr/bin/env python3
# The display and its panel camera.
#   display.py            a display that may read protected memory
#   display.py untrusted  one that may not
import errno
import os
import struct
import sys
import time

import kms
import tee
from kms import PLANE, TEST_ONLY, ALLOW_MODESET, Picture
from testing import equal, fails, main, test

untrusted = sys.argv[1:] == ["untrusted"]
card = kms.Card()
_, WIDTH, HEIGHT = card.mode()
BACKGROUND = 0x204060


def solid(width, height, colour):
    return card.dumb(width, height, struct.pack("<I", 0xFF000000 | colour) * (width * height))


def fill(memory, data):
    world = tee.Tee()
    session, _, _ = world.open(tee.SDP_BASIC)
    registered = world.registerFd(memory)
    for offset in range(0, len(data), 4 << 20):
        part = data[offset:offset + (4 << 20)]
        plain = world.share(part)
        equal(world.invoke(session, 0, tee.memref(tee.IN, plain, 0, len(part)), tee.memref(tee.OUT, registered, offset, len(part)))[0], 0)
    world.close()


def protectedFramebuffer(width, height, format, layout, data):
    fd = tee.allocate(tee.PROTECTED, len(data))
    fill(fd, data)
    fb = card.framebuffer(card.importDmabuf(fd), width, height, format, layout)
    os.close(fd)
    return fb


def show(plane, fb, x, y, width, height, flags=0):
    card.commit({(plane, PLANE): card.show(fb, x, y, width, height)}, flags)


def hide(plane):
    card.commit({(plane, PLANE): {"FB_ID": 0, "CRTC_ID": 0}})


def near(got, wanted, tolerance=2):
    for shift in (16, 8, 0):
        if abs((got >> shift & 255) - (wanted >> shift & 255)) > tolerance:
            raise AssertionError(f"pixel is {got:06x}, not {wanted:06x}")


def nv12(width, height, y, u, v):
    return bytes([y]) * (width * height) + bytes([u, v]) * (width * height // 4), [(width, 0), (width, width * height)]


@test
def camera_sees_no_dark_panel():
    fails(errno.ENODATA, Picture)


@test
def board_has_the_planes_of_its_profile():
    types = [card.planes[plane]["type"][1] for plane in sorted(card.planes, key=lambda plane: card.planes[plane]["zpos"][1])]
    equal(types, [0, 1, 0, 0, 0, 2], "types from the bottom up")


@test
def camera_sees_what_is_scanned_out():
    card.commit(card.lightUp(solid(WIDTH, HEIGHT, BACKGROUND)), ALLOW_MODESET)
    picture = Picture()
    equal((picture.magic, picture.format, picture.width, picture.height, len(picture.pixels)),
          (b"VITRCAM1", kms.fourcc("XR24"), WIDTH, HEIGHT, picture.stride * HEIGHT))
    equal({picture.pixel(x, y) for x in range(0, WIDTH, 7) for y in range(0, HEIGHT, 7)}, {BACKGROUND}, "colours")


@test
def camera_sees_the_newest_commit():
    overlay = card.ofType(0)[1]
    last = Picture()
    for colour in (0xFF0000, 0x00FF00, 0x0000FF, 0x123456):
        show(overlay, solid(64, 64, colour), 100, 50, 64, 64)
        picture = Picture()
        equal(picture.pixel(100, 50), colour)
        equal(picture.pixel(163, 113), colour)
        equal(picture.pixel(164, 50), BACKGROUND)
        equal(picture.number > last.number and picture.sequence > last.sequence and picture.timestamp > last.timestamp, True, "order")
        last = picture
    hide(overlay)


@test
def camera_takes_one_picture_a_file_and_the_next_from_its_start():
    camera = os.open("/dev/panel-camera0", os.O_RDONLY)
    first = os.pread(camera, 64, 0)
    equal(len(os.pread(camera, 1 << 24, 64)), WIDTH * HEIGHT * 4, "pixels")
    equal(os.pread(camera, 1, 64 + WIDTH * HEIGHT * 4), b"", "end")
    second = os.pread(camera, 64, 0)
    equal(second[40:48] > first[40:48] or second != first, True, "next picture")
    equal(os.stat("/dev/panel-camera0").st_mode & 0o777, 0o600, "mode")
    os.close(camera)


@test
def underlay_lies_below_overlay_above():
    below, above = card.ofType(0)[0], card.ofType(0)[1]
    show(below, solid(64, 64, 0xFF0000), 10, 10, 64, 64)
    equal(Picture().pixel(20, 20), BACKGROUND, "pixel over the underlay")
    show(above, solid(32, 32, 0x00FF00), 10, 10, 32, 32)
    equal(Picture().pixel(20, 20), 0x00FF00, "pixel of the overlay")
    hide(below)
    hide(above)


@test
def an_imported_protected_buffer_cannot_be_mapped_through_the_display():
    fd = tee.allocate(tee.PROTECTED, 16384)
    handle = card.importDmabuf(fd)
    fails(errno.EINVAL, card._call, 0xB3, "IIQ", handle, 0, 0)
    os.close(fd)


if untrusted:
    @test
    def commit_of_a_protected_buffer_fails_after_its_test_passed():
        fb = protectedFramebuffer(64, 64, "XR24", [(256, 0)], b"\x11\x22\x33\xff" * 4096)
        plane = card.ofType(0)[1]
        show(plane, fb, 0, 0, 64, 64, TEST_ONLY)
        fails(errno.EINVAL, show, plane, fb, 0, 0, 64, 64)
        equal(Picture().pixel(0, 0), BACKGROUND)
else:
    @test
    def protected_rgb_is_scanned_out():
        fb = protectedFramebuffer(64, 64, "XR24", [(256, 0)], b"\x30\x20\x10\xff" * 4096)
        plane = card.ofType(0)[1]
        show(plane, fb, 7, 9, 64, 64, TEST_ONLY)
        show(plane, fb, 7, 9, 64, 64)
        equal(Picture().pixel(7, 9), 0x102030)
        hide(plane)

    @test
    def protected_nv12_is_scanned_out_as_its_encoding_says():
        data, layout = nv12(64, 64, 63, 102, 240)  # BT.709 limited red, and what it is as BT.601 limited
        fb = protectedFramebuffer(64, 64, "NV12", layout, data)
        plane = card.ofType(0)[1]
        for encoding, colour in ((1, 0xFF0001), (0, 0xE90000)):
            state = card.show(fb, 0, 0, 64, 64) | {"COLOR_ENCODING": encoding, "COLOR_RANGE": 0}
            card.commit({(plane, PLANE): state})
            near(Picture().pixel(30, 30), colour)
        hide(plane)

    @test
    def a_buffer_on_screen_shows_what_the_secure_world_writes():
        fd = tee.allocate(tee.PROTECTED, 16384)
        fill(fd, b"\0" * 16384)
        plane = card.ofType(0)[1]
        show(plane, card.framebuffer(card.importDmabuf(fd), 64, 64, "XR24", [(256, 0)]), 0, 0, 64, 64)
        equal(Picture().pixel(0, 0), 0)
        fill(fd, b"\xff" * 16384)
        equal(Picture().pixel(0, 0), 0xFFFFFF)
        hide(plane)
        os.close(fd)

    @test
    def a_flip_keeps_pace_while_the_camera_looks_away():
        fbs = [solid(WIDTH, HEIGHT, BACKGROUND), solid(WIDTH, HEIGHT, BACKGROUND + 1)]
        took = []
        while not took or (took[-1] >= 0.8 and len(took) < 20):  # others may have kept this machine from running
            start = time.monotonic()
            for frame in range(30):
                show(card.primary(), fbs[frame % 2], 0, 0, WIDTH, HEIGHT)
            took.append(time.monotonic() - start)
        equal(0.4 < min(took) < 0.8, True, f"30 frames of 1/60 s in {took} s")


main()
