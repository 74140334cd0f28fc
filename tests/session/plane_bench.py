#!/usr/bin/env python3
"""vitrine-plane-bench in the guest: what a run gives, what it leaves behind, and whether its comparison finds what there is to find."""

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import json_schema  # noqa: E402
import kms  # noqa: E402
import testing  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
BUILD = os.environ.get("VITRINE_BUILD", "/vitrine/build/platform")
OUT = os.environ.get("OUT", "/tmp")
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../board/plane-bench/run.schema.json")
HAS_HEAP = PROFILE != "no-heap"
DROP_MASTER = 0x641F  # drm.h
PROGRAM = "vitrine-plane-bench"


def bench(*arguments, **environment):
    """Status, standard output and standard error."""
    got = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=280, check=False, env=os.environ | environment)
    return got.returncode, got.stdout, got.stderr


def measured(name, *arguments, **environment):
    """The result of a run, and its file."""
    file = os.path.join(OUT, f"{name}.json")
    status, _, error = bench("--quiet", "--json", file, *arguments, **environment)
    testing.equal((status, error), (0, ""), f"status and errors of {name}")
    with open(file, encoding="utf-8") as stream:
        return json.load(stream), file


def name_of(series):
    return " ".join([series["metric"], *(f"{key}={value}" for key, value in series["conditions"].items())])


class Holder:
    """Somebody who had the display before: it shows a picture, and is not DRM master any more."""

    def __init__(self):
        self.card = kms.Card()
        _, width, height = self.card.mode()
        picture = self.card.dumb(width, height, b"\x20\x40\x60\x00" * (width * height))
        self.card.commit(self.card.lightUp(picture), kms.ALLOW_MODESET)
        fcntl.ioctl(self.card.fd, DROP_MASTER)
        self.before = self.state()

    def blob(self, identifier):
        if identifier == 0:
            return b""
        _, length, _ = self.card._call(0xAC, "IIQ", identifier, 0, 0)
        data, at = self.card._array(length, kms.ctypes.c_uint8)
        self.card._call(0xAC, "IIQ", identifier, length, at)
        return bytes(data)

    def state(self):
        """Every property of the output's objects, the mode by what it says."""
        objects = [(self.card.crtc, kms.CRTC), (self.card.connector, kms.CONNECTOR), *((plane, kms.PLANE) for plane in self.card.planes)]
        found = {}
        for identifier, kind in objects:
            for name, (_, value) in self.card.properties(identifier, kind).items():
                found[identifier, name] = self.blob(value) if name == "MODE_ID" else value
        return found

    def expect_restored(self):
        after = self.state()
        changed = {key: (value, after[key]) for key, value in self.before.items() if after[key] != value}
        testing.equal(changed, {}, "what is not as it was")

    def close(self):
        os.close(self.card.fd)


class Running:
    """A run that has begun to measure, while somebody's picture was on the display."""

    def __init__(self, *arguments):
        self.holder = Holder()
        self.process = subprocess.Popen([PROGRAM, "--repetitions", "1000", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stderr.readline()
        if "repetition 1 of 1000" not in first:
            raise AssertionError(f"it said {first!r} and {self.process.stderr.read()!r}")
        testing.equal(self.holder.state() == self.holder.before, False, "that the display still shows what it did")

    def measuring_process(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with open(f"/proc/{name}/stat", encoding="utf-8") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
            if parent == self.process.pid:
                return int(name)
        raise AssertionError("it has no child")

    def end(self):
        _, error = self.process.communicate(timeout=60)
        self.holder.expect_restored()
        self.holder.close()
        return self.process.returncode, error


@testing.test
def a_quick_run_measures_every_metric_and_keeps_its_schema():
    html, csv = os.path.join(OUT, "quick.html"), os.path.join(OUT, "quick.csv")
    run, _ = measured("quick", "--quick", "--repetitions", "2", "--html", html, "--csv", csv)
    with open(SCHEMA, encoding="utf-8") as stream:
        testing.equal(list(json_schema.faults(run, json.load(stream))), [], "what the schema does not allow")
    listed = [line.split()[0] for line in bench("--list")[1].splitlines()]
    testing.equal(sorted({series["metric"] for series in run["series"]}), sorted(listed), "metrics")
    missing = {name_of(series): series["unavailable"] for series in run["series"] if "unavailable" in series}
    testing.equal(missing, {"flip-rate mode=async": "driver and kernel have no DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP"}, "what was not measured")
    kinds = {series["conditions"].get("buffers") for series in run["series"]}
    testing.equal("protected" in kinds, HAS_HEAP, "that protected buffers were measured")
    samples = sum(len(repetition) for series in run["series"] for repetition in series.get("repetitions", []))
    with open(csv, encoding="utf-8") as stream:
        testing.equal(len(stream.readlines()), samples + 1, "lines of the CSV")
    with open(html, encoding="utf-8") as stream:
        text = stream.read()
    testing.equal(("<script" in text, "http" in text, text.count("<svg") > 20), (False, False, True), "script, foreign parts and plots")


@testing.test
def the_display_is_as_before_at_the_end():
    holder = Holder()
    measured("end", "--metric", "commit-nonblocking", "--samples", "2", "--repetitions", "1")
    holder.expect_restored()
    holder.close()


@testing.test
def sigterm_restores_the_display_and_keeps_what_was_measured():
    file = os.path.join(OUT, "terminated.json")
    running = Running("--json", file, "--metric", "test-only", "--samples", "20")
    running.process.stderr.readline()  # the second repetition has begun
    running.process.send_signal(signal.SIGTERM)
    status, error = running.end()
    testing.equal((status, error.splitlines()[-1]), (1, "vitrine-plane-bench: not complete: a signal ended it"), "status and error")
    with open(file, encoding="utf-8") as stream:
        run = json.load(stream)
    testing.equal((run["complete"], run["ended_by"]), (False, "a signal ended it"), "the result")
    testing.equal(len(run["series"][0]["repetitions"]) >= 1, True, "that repetitions are in it")


@testing.test
def a_killed_measuring_process_leaves_the_display_restored():
    running = Running("--metric", "commit-nonblocking", "--samples", "100")
    os.kill(running.measuring_process(), signal.SIGKILL)
    status, error = running.end()
    wanted = r"vitrine-plane-bench: not complete: the measuring process: it was ended by signal 9 \(Killed\), in commit-nonblocking planes=1 .*"
    testing.equal((status, bool(re.fullmatch(wanted, error.splitlines()[-1]))), (1, True), f"status, and the last line of {error!r}")


@testing.test
def another_master_is_named():
    card = kms.Card()
    status, _, error = bench("--quiet")
    os.close(card.fd)
    wanted = f"vitrine-plane-bench: DRM_IOCTL_SET_MASTER /dev/dri/card0: EBUSY (16): python3 (process {os.getpid()}) is its DRM master; " \
        "stop it, or switch to a virtual terminal without a session\n"
    testing.equal((status, error), (1, wanted), "status and error")


@testing.test
def interleaved_halves_of_a_run_show_no_change():
    _, file = measured("same", "--metric", "test-only", "--metric", "addfb2", "--samples", "20", "--repetitions", "18")
    status, out, error = bench("compare", "--expect-same", file)
    testing.equal((status, error), (0, ""), f"status and errors; it said {out}")
    testing.equal(bool(re.search(r"^No change in \d+ comparisons\.$", out, re.MULTILINE)), True, f"that {out!r} says so")


@testing.test
def a_slower_ioctl_is_found_where_it_is_and_nowhere_else():
    arguments = ("--metric", "addfb2", "--metric", "test-only", "--samples", "20", "--repetitions", "9")
    _, before = measured("before", *arguments)
    delayed = {"LD_PRELOAD": f"{BUILD}/tests/session/libdelayed_ioctl.so", "VITRINE_DELAY_IOCTL": "b8:20000"}  # DRM_IOCTL_MODE_ADDFB2
    _, after = measured("after", *arguments, **delayed)
    status, out, error = bench("compare", before, after)
    testing.equal((status, error), (1, ""), f"status and errors; it said {out}")
    worse = {line.split()[1] for line in out.splitlines() if line.startswith("! ")}
    testing.equal(worse, {"addfb2"}, f"metrics that are worse in {out}")


@testing.test
def limits_are_judged_as_tap():
    _, file = measured("limits", "--metric", "flip-rate", "--samples", "5", "--repetitions", "1")
    limits = os.path.join(OUT, "limits.toml")
    with open(limits, "w", encoding="utf-8") as stream:
        stream.write('["flip-rate mode=sync"]\np50 = 1\nminimum = 1000\n')
    status, out, error = bench("report", file, "--tap", limits)
    testing.equal((status, error), (1, ""), "status and errors")
    testing.equal([line.split(" - ")[0] for line in out.splitlines()], ["TAP version 14", "1..2", "not ok 1", "ok 2"], "TAP")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
