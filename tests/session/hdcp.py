#!/usr/bin/env python3
"""HDCP, in the guest: protected content on an HDMI connector whose receiver the test controls (tests/platform/kernel/vkms_hdcp.c)."""

import glob
import itertools
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import lit_session  # noqa: E402

OUTPUT = "HDMI-A-1"
VIDEO, PLACEHOLDER, DESKTOP = "video", "placeholder", "desktop"


def receiver():
    (path,) = {os.path.realpath(found) for found in glob.glob(f"/sys/kernel/debug/dri/*/{OUTPUT}/hdcp_receiver")}
    return path


def receiver_is(state):
    """none, type0 or type1, and how many milliseconds an authentication takes; or lost: the link fails once."""
    with open(receiver(), "w", encoding="ascii") as file:
        file.write(state)


def authentications():
    with open(receiver(), encoding="ascii") as file:
        return int(re.search(r"(\d+) authentications", file.read()).group(1))


def transitions(session):
    """What the audit log says of the link: [(state, request, link)]."""
    return re.findall(rf"output\.hdcp output={OUTPUT} state=(\w+) request=(\w+) link=(\w+)", session.compositor.log())


def wait_for_state(session, state, count=1, seconds=30):
    s.wait_until(lambda: [said[0] for said in transitions(session)].count(state) >= count, f"HDCP to be {state}", seconds)


def shown(box):
    """What the panel shows in this box: wholly the placeholder, wholly the desktop, or the video."""
    seen = s.crop(s.photograph(), box)
    if s.only_placeholder(seen):
        return PLACEHOLDER
    return DESKTOP if (seen == s.DESKTOP).all() else VIDEO


def changes(pictures):
    """The pictures without repetitions."""
    return [picture for picture, _ in itertools.groupby(pictures)]


def play(session):
    """A video in the middle of the screen; its player and its box there."""
    player = s.video_on_panel(session, s.make_clip())
    output = session.output()
    return player, ((output["width"] - 640) // 2, (output["height"] - 360) // 2, 640, 360)


def watch_until(box, wanted):
    """Pictures of the box up to the first one that shows `wanted`."""
    pictures = []
    s.wait_until(lambda: (pictures.append(shown(box)), pictures[-1] == wanted)[1], f"the {wanted} on the panel", 60)
    return pictures


@testing.test
def video_is_shown_once_a_late_authentication_succeeds():
    receiver_is("type1 2500")
    with lit_session() as session:
        player, box = play(session)
        before = watch_until(box, VIDEO)
        testing.equal(changes(before), [PLACEHOLDER, VIDEO], "what the panel shows")
        testing.equal(transitions(session), [("asking", "type1", "off"), ("enabled", "type1", "type1")], "audit log")
        testing.equal(s.only_placeholder(s.crop(session.screenshot(), box)), True, "whether a screenshot shows the placeholder alone")
        testing.equal(session.output()["hdcp"], {"state": "enabled", "link": "type1"}, "status report")
        testing.equal(session.output()["protected_surfaces"][0]["refusal"], "OutputNotAllowed", "the first refusal")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_lost_link_is_the_placeholder_in_the_next_frame_and_comes_back():
    receiver_is("type1 100")
    with lit_session() as session:
        player, box = play(session)
        watch_until(box, VIDEO)
        pictures = [shown(box) for _ in range(3)]
        receiver_is("type1 4000")  # so that the placeholder stays until it is seen
        receiver_is("lost")
        wait_for_state(session, "waiting")  # udev has passed the event on
        after = watch_until(box, PLACEHOLDER)
        if len(after) > 2:  # one frame may have been on its way to the screen
            raise AssertionError(f"{len(after) - 1} frames show the video after vitrine was told that the link is lost")
        pictures += after + watch_until(box, VIDEO) + [shown(box) for _ in range(5)]
        testing.equal(changes(pictures), [VIDEO, PLACEHOLDER, VIDEO], "what the panel shows: nothing flickers")
        testing.equal(transitions(session), [("asking", "type1", "off"), ("enabled", "type1", "type1"), ("waiting", "off", "off"),
                                             ("asking", "type1", "off"), ("enabled", "type1", "type1")], "audit log")
        testing.equal(player.running(), True, "the player")


@testing.test
def a_receiver_that_refuses_gets_the_placeholder_and_is_asked_again():
    receiver_is("none")
    with lit_session() as session:
        before = authentications()
        player, box = play(session)
        wait_for_state(session, "waiting")
        testing.equal(authentications() - before, 2, "authentications: one of each type")
        testing.equal(transitions(session)[:3], [("asking", "type1", "off"), ("asking", "type0", "off"), ("waiting", "off", "off")], "audit log")
        testing.equal(shown(box), PLACEHOLDER, "what the panel shows")
        receiver_is("type1 0")
        testing.equal(changes(watch_until(box, VIDEO)), [PLACEHOLDER, VIDEO], "what the panel shows once the receiver agrees")
        testing.equal(player.running(), True, "the player")


@testing.test
def type_one_may_be_refused_and_type_zero_accepted():
    receiver_is("type0 100")
    with lit_session() as session:
        _, box = play(session)
        watch_until(box, VIDEO)
        testing.equal(transitions(session), [("asking", "type1", "off"), ("asking", "type0", "off"), ("enabled", "type0", "type0")], "audit log")
    with lit_session('[output]\nhdcp = "type1"\n') as session:
        _, box = play(session)
        wait_for_state(session, "waiting")
        testing.equal(shown(box), PLACEHOLDER, "what the panel shows where type 1 is required")
        testing.equal({request for _state, request, _link in transitions(session)}, {"type1", "off"}, "requests: type 0 is of no use")


@testing.test
def a_configuration_may_do_without():
    receiver_is("none")
    with lit_session('[output]\nprotected = "allow"\n') as session:
        before = authentications()
        _, box = play(session)
        watch_until(box, VIDEO)
        testing.equal((transitions(session), authentications()), ([], before), "audit log, and authentications")


@testing.test
def hdcp_goes_off_after_the_last_content_that_needs_it():
    receiver_is("type1 0")
    with lit_session() as session:
        player, box = play(session)
        watch_until(box, VIDEO)
        testing.equal(player.stop(), 0, "status of vitrine-play")
        wait_for_state(session, "off")
        testing.equal(transitions(session)[-1], ("off", "off", "off"), "audit log")
        testing.equal(shown(box), DESKTOP, "what the panel shows")


@testing.test
def ordinary_content_that_demands_hdcp_is_hidden_until_it_is_on():
    receiver_is("type1 1500")
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=(0xC8, 0, 0))
        protection = client.bind("vitrine_protected_content_v1").get_surface(window.surface)
        protection.require_hdcp("type1")
        client.show(window.surface, *window.size, window.colour)
        client.expect(protection, "outcome", path=0, refusal="OutputNotAllowed")
        wait_for_state(session, "enabled")
        client.expect(protection, "attainable", hdcp=2)
        s.wait_until(lambda: (s.photograph() == window.colour).all(axis=2).any(), "the window", 60)
        testing.equal((session.screenshot() == window.colour).all(axis=2).any(), False, "whether a screenshot shows it")


@testing.test
def weston_content_protection_tells_the_status_and_enforces():
    receiver_is("type0 100")
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=(0, 0xC8, 0))
        protection = client.bind("weston_content_protection").get_protection(window.surface)
        client.expect(protection, "status", type=0)
        protection.set_type("hdcp_0")
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        s.wait_until(lambda: (s.photograph() == window.colour).all(axis=2).any(), "the window, which may be seen without HDCP", 60)
        client.expect(protection, "status", type=1)
        protection.set_type("hdcp_1")
        protection.enforce()
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        s.wait_until(lambda: not (s.photograph() == window.colour).all(axis=2).any(), "the placeholder: type 1 is not to be had", 60)
        protection.destroy()
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        s.wait_until(lambda: (s.photograph() == window.colour).all(axis=2).any(), "the window without requirements", 60)


@testing.test
def weston_content_protection_refuses_what_is_wrong():
    cases = [
        (("weston_content_protection", "surface_exists"),
         lambda client, surface, protection: client.bind("weston_content_protection").get_protection(surface)),
        (("weston_protected_surface", "invalid_type"), lambda client, surface, protection: protection.set_type(3)),
    ]
    with lit_session() as session:
        for error, attempt in cases:
            client = wayland.Client(session.environment)
            surface = client.bind("wl_compositor").create_surface()
            protection = client.bind("weston_content_protection").get_protection(surface)
            testing.equal(client.error_of(lambda: attempt(client, surface, protection)), error, "error")
        client = wayland.Client(session.environment)
        surface = client.bind("wl_compositor").create_surface()
        protection = client.bind("weston_content_protection").get_protection(surface)
        surface.destroy()
        protection.set_type("hdcp_1")  # inert
        protection.destroy()
        client.roundtrip()


@testing.test
def westons_own_client_runs():
    receiver_is("type1 0")
    with lit_session() as session:
        client = session.start("weston-content_protection", "weston-content_protection")
        s.wait_until(lambda: not (s.photograph() == s.DESKTOP).all() or not client.running(), "its window", 60)
        testing.equal(client.running(), True, f"whether it runs: {client.log()}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
