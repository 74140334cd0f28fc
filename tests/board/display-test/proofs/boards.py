#!/usr/bin/env python3
"""What vitrine-display-test has to say about this board of the platform: boards.py [NAME...]; `--list` names the tests."""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../../platform/selftest"))

import testing  # noqa: E402
from testing import equal, test  # noqa: E402

PROGRAM = os.path.join(os.environ.get("VITRINE_BUILD", "build/platform"), "tests/board/display-test/vitrine-display-test")
BROKEN = os.path.join(os.path.dirname(PROGRAM), "broken-board.so")
BOARD = os.environ.get("VITRINE_PROFILE", "full")
OUT = os.environ.get("OUT", "/tmp")

# What a process can read of a heap that can be mapped.
MAPPABLE = {f"map/{way}" for way in ("gem-flink", "getfb2", "getfb2-other-file", "mmap-fixed", "mmap-locked", "mmap-offset", "mmap-populate",
                                     "mmap-read", "mmap-read-write", "mmap-then-mprotect", "mmap-validate", "mmap-write", "prime-export",
                                     "sync-then-mmap", "write-from")}

# Board: exit status, the cases that fail there and no others, and words of the verdict.
EXPECTED = {
    "full": (0, set(), "hold: the CPU cannot read them"),
    "plane-only": (0, set(), "hold: the CPU cannot read them"),
    "two-outputs": (0, set(), "hold: the CPU cannot read them"),
    "no-supplicant": (0, set(), "hold: the CPU cannot read them"),
    "legacy-mediatek": (0, set(), "Buffers of `restricted_mtk_cma` hold"),
    "legacy-android": (0, set(), "Buffers of `vframe-secure` hold"),
    "untrusted-display": (1, {"kms/overlay-rgb", "kms/overlay-yuv", "kms/primary", "kms/test-is-kept"},
                          "are found wanting: the display does not show them as it should (overlay-rgb, overlay-yuv, primary and 1 more)."),
    "selftest": (1, {"tee/hands-nothing-out"}, "the TEE breaks its rules (hands-nothing-out)"),
    # The TEE rightly takes none of its buffers.
    "mappable-name": (1, MAPPABLE | {"heap/evidence"}, "are found wanting: the CPU can read them (mmap-read, mmap-write, mmap-read-write and 12 "
                      "more) and their heap breaks its rules (evidence)."),
    # The TEE writes content into memory that anyone may read.
    "tee-takes-all": (1, MAPPABLE | {"heap/evidence"}, "are found wanting: the CPU can read them (mmap-read, mmap-write, mmap-read-write and 12 "
                      "more) and their heap breaks its rules (evidence)."),
    # Each access faults, so the CPU reads nothing; no program can know that without an access.
    "maps-and-faults": (1, {"heap/evidence", "vulkan/import"},
                        "their heap breaks its rules (evidence) and the GPU does not compose them (import)."),
    "no-heap": (77, set(), "No protected path: this board has no protected heap (in /dev/dma_heap: system)."),
}


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


def report():
    if not hasattr(report, "kept"):
        names = {form: os.path.join(OUT, f"report.{form}") for form in ("json", "html", "tap", "xml")}
        done = run("--json", names["json"], "--html", names["html"], "--tap", names["tap"], "--junit", names["xml"])
        with open(names["json"], encoding="utf-8") as file:
            report.kept = done, json.load(file), names
    return report.kept


@test
def the_verdict_is_right():
    done, found, _ = report()
    status, failing, words = EXPECTED[BOARD]
    failed = {result["name"]: result["reason"] for result in found["results"] if result["verdict"] == "fail"}
    equal(set(failed), failing, f"failing cases (of {failed})")
    equal(done.returncode, status, "exit status")
    equal(words in found["summary"], True, f"{words!r} in {found['summary']!r}")
    equal(done.stdout.splitlines()[0], found["summary"], "first line of what it prints")


@test
def every_form_says_the_same():
    _, found, names = report()
    verdicts = [result["verdict"] for result in found["results"]]
    with open(names["tap"], encoding="utf-8") as file:
        lines = [line for line in file if line.startswith(("ok", "not ok"))]
    equal([sum(line.startswith("not ok") for line in lines), sum("# SKIP" in line for line in lines), len(lines)],
          [verdicts.count("fail"), verdicts.count("skip"), len(verdicts)], "TAP's failures, skips and lines")
    suite = xml.etree.ElementTree.parse(names["xml"]).getroot()
    equal([int(suite.get(name)) for name in ("failures", "skipped", "tests")],
          [verdicts.count("fail"), verdicts.count("skip"), len(verdicts)], "JUnit's failures, skips and tests")
    with open(names["html"], encoding="utf-8") as file:
        html = file.read()
    equal([html.count("<details"), "http" in html], [len(verdicts), False], "cases in the HTML, and whether it refers to anything outside")


@test
def nothing_changes_between_two_runs():
    done, _, names = report()
    second = os.path.join(OUT, "second.json")
    run("--shuffle", "7", "--json", second)
    compared = run("compare", names["json"], second)
    equal(compared.returncode, 0, "status of the comparison")
    equal(compared.stdout.splitlines()[-1].startswith("0 of "), True, f"no change in {compared.stdout}")
    equal(done.returncode, EXPECTED[BOARD][0], "status")


def broken(how, sign=""):
    return dict(os.environ) | {"LD_PRELOAD": BROKEN, "VITRINE_BREAK": how, "VITRINE_BREAK_SIGN": sign}


def room():
    """What the heap has room for, as a case sees it."""
    return json.loads(run("heap/exhaustion", "--json", "-").stdout)["results"][0]["seen"]


if BOARD == "full":
    @test
    def an_interrupt_ends_the_run_and_gives_everything_back():
        before, sign = room(), os.path.join("/tmp", "sign")
        os.mkfifo(sign)
        process = subprocess.Popen([PROGRAM, "map/read", "--repeat", "1000", "--timeout", "600", "--json", "-"], stdout=subprocess.PIPE,
                                   text=True, env=broken("hang", sign))
        with open(sign, encoding="ascii") as file:
            equal(file.read(), "x", "sign of the case")
        children = subprocess.run(["pgrep", "--parent", str(process.pid)], capture_output=True, text=True, check=True).stdout.split()
        equal(len(children), 1, "running cases")
        process.send_signal(signal.SIGINT)
        found = json.loads(process.communicate(timeout=60)[0])
        equal((process.returncode, found["interrupted"], found["summary"].startswith("Interrupted. ")), (1, True, True), "end")
        equal(os.path.exists(f"/proc/{children[0]}"), False, "whether the case lives on")
        equal(room(), before, "room of the heap afterwards")

    @test
    def a_case_that_hangs_or_crashes_has_failed_and_the_run_goes_on():
        for how, reason in (("hang", "hung: no end within 0.5 s"), ("crash", "crashed: signal 6 (Aborted)")):
            done = subprocess.run([PROGRAM, "map/read", "map/pread", "--timeout", "0.5", "--json", "-"], capture_output=True, text=True,
                                  check=False, env=broken(how))
            found = {result["name"]: (result["verdict"], result["reason"]) for result in json.loads(done.stdout)["results"]}
            equal(found, {"map/read": ("fail", reason), "map/pread": ("pass", "")}, f"results of the board with a {how}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
