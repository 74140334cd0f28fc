#!/usr/bin/env python3
"""How compositor and player end on SIGINT and SIGTERM, in the guest: while video plays, as a kiosk, during start, and while a player gets no
answer."""

import contextlib
import errno
import fcntl
import json
import os
import signal
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import seat  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SET_MASTER, DROP_MASTER = 0x641E, 0x641F  # drm.h


def take_display():
    """Becomes DRM master of the display for a moment. Raises OSError(EBUSY) if another process is."""
    display = os.open("/dev/dri/card0", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(display, SET_MASTER)
        fcntl.ioctl(display, DROP_MASTER)
    finally:
        os.close(display)


def processes():
    """The running programs by process id, without udev's workers, which come and go."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().replace("\0", " ").strip()
        except OSError:
            continue  # it has ended
        if words and "udev" not in words:
            found[int(name)] = words
    return found


class Stopped:
    """`with Stopped(number) as end:` around the life of a compositor. `end.of(client)` sends the signal `number`, and checks that the status
    is 0, that the log names the signal, that the display is free, and that no process is left."""

    def __init__(self, number):
        self.number, self.name = number, signal.Signals(number).name

    def __enter__(self):
        self.before = processes()
        return self

    def of(self, compositor):
        testing.equal(compositor.stop(self.number), 0, f"status of vitrine after {self.name}")
        if f"stopping: {self.name}" not in compositor.log():
            raise AssertionError(f"the log does not say that {self.name} came: {compositor.log()[-500:]}")

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        take_display()
        testing.equal(seat.framebuffers().count("vitrine"), 0, "framebuffers of vitrine's")
        left = lambda: {pid: words for pid, words in processes().items() if pid not in self.before}
        with contextlib.suppress(TimeoutError):
            s.wait_until(lambda: not left(), "the end of those that were killed", 10)
        testing.equal(left(), {}, f"processes left after {self.name}")


@testing.test
def a_signal_ends_a_session_that_shows_video():
    clip = s.make_clip()
    for number in SIGNALS:
        with Stopped(number) as end, s.Session() as session:
            player = s.video_on_panel(session, clip)
            testing.fails(errno.EBUSY, take_display)
            end.of(session.compositor)
            testing.equal((player.wait(), player.report()["ended_by"]), (1, "error"), "how the player ends without a compositor")


@testing.test
def a_signal_ends_a_kiosk_with_its_client():
    clip, report = s.make_clip(), os.path.join(s.OUT, "kiosk.json")
    for number in SIGNALS:
        with Stopped(number) as end, s.Session(kiosk=("vitrine-play", clip, "--loop", "--json", report)) as session:
            s.wait_until(lambda: session.output()["protected_surfaces"], "the first protected frame")
            session.wait_for_frames(5)
            end.of(session.compositor)
        with open(report, encoding="utf-8") as file:
            testing.equal(json.load(file)["ended_by"], "signal", f"what ended the client of the kiosk that got {end.name}")
        os.remove(report)


@testing.test
def a_kiosks_client_that_does_not_listen_is_ended_too():
    stubborn = "trap '' INT TERM; while :; do sleep 1; done"
    for arguments in ({"kiosk": ("sh", "-c", stubborn)}, {"arguments": ("--startup", stubborn)}):
        with Stopped(signal.SIGTERM) as end, s.Session(**arguments) as session:
            s.wait_until(lambda: any(words == "sleep 1" for words in processes().values()), "the client")
            end.of(session.compositor)


@testing.test
def a_signal_during_the_start_ends_it_as_well():
    for number in SIGNALS:
        for _ in range(10):
            with Stopped(number) as end:
                compositor = s.Client("starting", ["vitrine", "sleep", "1000"], dict(os.environ))
                s.wait_until(lambda: "backend: display: " in compositor.log(), "the display to be opened")
                late = "WAYLAND_DISPLAY=" in compositor.log()
                end.of(compositor)
            if not late:
                break
        else:
            raise AssertionError("it has always started already: this test comes too late to show anything")


@testing.test
def a_signal_ends_a_player_with_its_statistics():
    with s.Session() as session:
        for number in SIGNALS:
            player = s.video_on_panel(session, s.make_clip())
            name = signal.Signals(number).name
            testing.equal((player.stop(number), player.report()["ended_by"]), (0, "signal"), f"how a player ends after {name}")
            if player.report()["frames_presented"] == 0:
                raise AssertionError("no frame in the statistics of a player that has played")


@testing.test
def a_signal_ends_a_player_whose_compositor_does_not_answer():
    clip, report = s.make_clip(), os.path.join(s.OUT, "waiting.json")
    # The compositor is stopped when the player has sent this. Earlier answers may let the player get further.
    for sent in ("", "zwp_linux_buffer_params_v1#", "xdg_surface#", "wl_surface#"):
        for number in SIGNALS:
            with s.Session(validated=False) as session:
                compositor = session.compositor.process
                if not sent:
                    compositor.send_signal(signal.SIGSTOP)
                player = session.start("waiting", "env", "WAYLAND_DEBUG=1", "vitrine-play", clip, "--loop", "--json", report)
                try:
                    s.wait_until(lambda: f" -> {sent or 'wl_display#'}" in player.log(), f"the player to send {sent or 'anything'}")
                    compositor.send_signal(signal.SIGSTOP)
                    last = player.log().splitlines()[-1].split("-> ")[-1]
                    status = player.stop(number)
                finally:
                    compositor.send_signal(signal.SIGCONT)
                with open(report, encoding="utf-8") as file:
                    ended_by = json.load(file)["ended_by"]
                print(f"# held after '{sent}', with '{last[:60]}' on its way", flush=True)
                testing.equal((status, ended_by), (0, "signal"), f"how a player ends after {signal.Signals(number).name}, held after '{sent}'")
                os.remove(report)


if __name__ == "__main__":
    testing.main(sys.argv[1:])
