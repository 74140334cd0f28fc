#!/usr/bin/env python3
"""Storms, in the guest: outputs are plugged and unplugged, the session is switched away and back, at random moments, while protected video
plays. VITRINE_STORMS=N has N of each (default: as many as 40 seconds allow); VITRINE_SEED repeats one."""

import collections
import contextlib
import os
import random
import re
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import connectors as o  # noqa: E402
import seat  # noqa: E402
import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402

SECONDS = 40


def random_source():
    seed = int(os.environ.get("VITRINE_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 31)
    print(f"# VITRINE_SEED={seed}", flush=True)
    return random.Random(seed)


def fds(process):
    """What its file descriptors stand for, each kind with a count."""
    kinds = collections.Counter()
    for number in os.listdir(f"/proc/{process.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            kinds[re.sub(r"\d+", "N", os.readlink(f"/proc/{process.pid}/fd/{number}"))] += 1
    return kinds


def dmabufs():
    """How many there are in the whole system (debugfs; root)."""
    with open("/sys/kernel/debug/dma_buf/bufinfo", encoding="utf-8", errors="replace") as file:
        return int(re.search(r"Total (\d+) objects", file.read()).group(1))


def unused_output_buffers(process):
    """Buffers of an output's swapchain that nothing was drawn into yet: of these the compositor has the one fd that they came with."""
    fds_of = collections.Counter()
    for number in os.listdir(f"/proc/{process.pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{process.pid}/fdinfo/{number}", encoding="utf-8") as file:
            about = file.read()
            if "exp_name:\tdrm" in about:
                fds_of[re.search(r"^ino:\s*(\d+)", about, re.MULTILINE).group(1)] += 1
    return sum(count == 1 for count in fds_of.values())


def holdings(session):
    """What the compositor holds, by the kernel's account. How many buffers of a swapchain are used is chance, so that each counts as if it
    were: with a framebuffer, and with two more fds (of the framebuffer and of the render target)."""
    process = session.compositor.process
    unused = unused_output_buffers(process)
    return collections.Counter({"framebuffers": seat.framebuffers().count("vitrine") + unused, "dma-bufs in the system": dmabufs()},
                               **fds(process)) + collections.Counter({"/dmabuf:": 2 * unused})


class Weather:
    """What may happen at a random moment."""

    def __init__(self, session, source):
        self.session, self.source = session, source
        self.keyboard = uinput.Keyboard()
        self.own_number = seat.newest_session()
        self.other = seat.OtherSession()  # one for all: the keys reach no session beyond the twelfth
        self.counts = {"plug": 0, "switch": 0}

    def plug(self):
        o.plug(self.source.choice((o.LEFT, o.RIGHT)), self.source.random() < 0.5)
        self.counts["plug"] += 1

    def switch(self):
        if self.other.active:
            self.come_back()
        else:
            key = f"f{self.other.number}"
            s.wait_until(lambda: (self.keyboard.chord("ctrl", "alt", key), self.other.dispatch(20), self.other.active)[2], "the switch")
        self.counts["switch"] += 1

    def come_back(self):
        if self.other.active:
            self.other.switch_to(self.own_number)
            s.wait_until(lambda: (self.other.dispatch(20), not self.other.active)[1], "the switch back")

    def calm(self):
        self.come_back()
        o.plug(o.LEFT)
        o.plug(o.RIGHT)

    def close(self):
        self.calm()
        self.other.close()
        self.keyboard.close()


@testing.test
def storms_leave_the_right_picture_and_nothing_behind():
    source, wanted = random_source(), int(os.environ.get("VITRINE_STORMS", 0))
    seat.OtherSession().close()  # takes session 0, to which seatd lets nobody switch
    with o.board(), s.Session(validated=False) as session:
        o.wait_for_outputs(session, o.LEFT, o.RIGHT)
        player = s.video_on_panel(session, s.make_clip(fps=60))
        with contextlib.closing(Weather(session, source)) as weather:

            def settle():
                weather.calm()
                o.wait_for_outputs(session, o.LEFT, o.RIGHT)
                s.wait_until(lambda: o.video_on(0) or o.video_on(1), "the video on a panel")

            # What is made once and kept is made in a first round; from then on nothing more may be held.
            for happens in (weather.plug, weather.switch) * 4:
                happens()
            settle()
            before = holdings(session)
            end = time.monotonic() + SECONDS
            while min(weather.counts.values()) < wanted or (not wanted and time.monotonic() < end):
                source.choice((weather.plug, weather.switch))()
                time.sleep(source.random() ** 3 / 4)  # often at once, sometimes after some frames
                if not (session.compositor.running() and player.running()):
                    raise AssertionError(f"after {weather.counts}: vitrine or its client has ended:\n{session.compositor.log()[-2000:]}")
            settle()
            print(f"# {weather.counts}, {before}", flush=True)
            try:
                s.wait_until(lambda: not holdings(session) - before, "no more than before to be held")
            except TimeoutError as error:
                raise AssertionError(f"{error}: more by {holdings(session) - before}") from error


if __name__ == "__main__":
    testing.main(sys.argv[1:])
