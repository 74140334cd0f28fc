#!/usr/bin/env python3
"""./check: see its first lines, or --help."""

import argparse
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import catalogue
import jobs
import rules
from jobs import Result

TIMES = "build/check/times.json"
GUEST_GIB = 2  # of memory that a slot may need


class Report:
    """Prints results as they come and keeps them."""

    def __init__(self, allowed_skips, wanted):
        self.results = []
        self.allowed_skips = allowed_skips
        self.wanted = wanted  # empty: all
        self.line = ""  # the progress line on the terminal

    def add(self, result):
        if result.verdict == "skip" and result.name not in self.allowed_skips:
            result = Result("FAIL", result.name, f"{result.text} (a skip that tests/allowed-skips does not list)", result.seconds)
        self.clear()
        print(result, flush=True)
        self.results.append(result)

    def progress(self, running, waiting):
        if not sys.stderr.isatty():
            return
        left = sum(job.seconds for job in waiting)
        line = f"-- running {', '.join(running)}; {len(waiting)} jobs wait, about {left / 60:.0f} min of work"
        self.clear()
        self.line = line[: shutil.get_terminal_size().columns - 1]
        print(self.line, end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.line:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self.line = ""

    def count(self, verdict):
        return sum(result.verdict == verdict for result in self.results)


def slots():
    """As many as there are cores, and one for what waits; fewer where memory is short."""
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:")) / 1048576
    return max(1, min((os.cpu_count() or 1) + 1, int(available / GUEST_GIB)))


def last_times():
    """How long each result took the last time; empty where there was none, or its file is from another version."""
    try:
        with open(TIMES, encoding="utf-8") as file:
            return {name: entry["seconds"] for name, entry in json.load(file)["tests"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def keep_times(report, seconds, chosen):
    """Leaves this run's times; those of tests that it did not run are kept from the run before."""
    tests = {name: {"seconds": took} for name, took in last_times().items()}
    tests |= {result.name: {"seconds": round(result.seconds, 2), "result": result.verdict} for result in report.results}
    os.makedirs(os.path.dirname(TIMES), exist_ok=True)
    with open(TIMES + ".new", "w", encoding="utf-8") as file:
        json.dump({"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds)), "seconds": round(seconds),
                   "cores": os.cpu_count(), "chosen": chosen, "suites": sums(report), "tests": tests}, file, indent=1)
    os.replace(TIMES + ".new", TIMES)


def sums(report):
    """Per suite: how many results, and the sum of their seconds."""
    total = collections.OrderedDict()
    for result in report.results:
        entry = total.setdefault(result.name.split("/")[0], {"tests": 0, "seconds": 0.0})
        entry["tests"] += 1
        entry["seconds"] = round(entry["seconds"] + result.seconds, 1)
    return total


def arguments():
    suites = "\n".join(f"  {'*' if suite.default else ' '} {suite.name:<10} {suite.what}; {time_of(suite)}" for suite in catalogue.SUITES)
    parser = argparse.ArgumentParser(
        prog="check", usage="check [-h] [--list] [--slots N] [SUITE[/NAME]...]", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs Vitrine's tests in the virtual platform, which it sets up first. Default: the suites with a star.",
        epilog=f"suites, and what each takes warm and alone on two cores:\n{suites}\n\n"
               "SUITE/NAME runs the test of that name, or all below it: session/shell, unit/policy.\n"
               "Every result line says its seconds; build/check/times.json has those of the last run.")
    parser.add_argument("--list", action="store_true", help="name every test and run none")
    parser.add_argument("--slots", type=int, metavar="N", help="jobs at a time; default: one more than cores, fewer where memory is short")
    parser.add_argument("tests", nargs="*", metavar="SUITE[/NAME]", help=argparse.SUPPRESS)
    return parser.parse_args()


def time_of(suite):
    return f"{suite.minutes * 60:.0f} s" if suite.minutes < 1 else f"{suite.minutes:.0f} min"


def chosen_suites(words):
    known = {suite.name: suite for suite in catalogue.SUITES}
    for word in words:
        if word.split("/")[0] not in known:
            print(f"check: no suite {word.split('/')[0]}; there are: {' '.join(known)}", file=sys.stderr)
            sys.exit(2)
    if not words:
        return [suite.name for suite in catalogue.SUITES if suite.default]
    return [name for name in known if any(word.split("/")[0] == name for word in words)]


def narrowed(found, words):
    """The jobs, and of them the tests, that the words name; builds that they need stay."""
    narrow = [word for word in words if "/" in word]
    whole = {word for word in words if "/" not in word}
    if not narrow:
        return found
    kept, met = [], set()
    for job in found:
        names = {f"{job.prefix or job.suite}/{test}": test for test in job.tests} or {job.id: None}
        hits = {name for name in names if any(name == word or name.startswith(word + "/") for word in narrow)}
        met |= {word for word in narrow if any(name == word or name.startswith(word + "/") for name in names)}
        if job.suite in whole or job.suite == "build":
            kept.append(job)
        elif hits and hits != set(names):
            tests = tuple(test for test in job.tests if f"{job.prefix or job.suite}/{test}" in hits)
            job.command = [word for word in job.command if word not in job.tests or word in tests]
            job.tests = tests
            kept.append(job)
        elif hits:
            kept.append(job)
    if missing := [word for word in narrow if word not in met]:
        print(f"check: no test {', '.join(missing)}; --list names them", file=sys.stderr)
        sys.exit(2)
    return kept


def list_tests(found):
    for job in found:
        for name in [f"{job.prefix or job.suite}/{test}" for test in job.tests] or [job.id]:
            print(name)


def first_builds(suites, report):
    """What has to be configured before tests can be listed."""
    both = ["platform", "asan"]
    trees = {"asan": both, "sanitized": both, "fuzz": both, "build": both}
    for tree in dict.fromkeys(tree for suite in suites for tree in trees.get(suite, ["platform"]) if suite not in ("style",)):
        catalogue.configure(tree)


def interrupted(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    options = arguments()
    suites = chosen_suites(options.tests)
    if options.slots is not None and options.slots < 1:
        print(f"check: --slots {options.slots}: at least 1", file=sys.stderr)
        return 2
    if subprocess.run(["tests/platform/setup"], check=False).returncode != 0:
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    report = Report(allowed_skips(), options.tests)
    try:
        first_builds(suites, report)
        found = narrowed(catalogue.Catalogue(last_times()).jobs(suites), options.tests)
    except catalogue.Unlisted as why:
        report.add(Result("FAIL", "check/list", f": {why}"))
        return finish(report, 0, options)
    if options.list:
        list_tests(found)
        return 0
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="vitrine-check.")
    line = jobs.Queue(found, options.slots or slots(), folder, report.add, report.progress)
    try:
        line.run()
    except KeyboardInterrupt as why:
        report.clear()
        print(f"check: {why or 'interrupted'}: ending {len(line.running)} jobs", file=sys.stderr)
        line.stop()
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not options.tests:
        for result in rules.pinned_tests_passed(report.results):
            report.add(result)
    return finish(report, time.monotonic() - started, options)


def allowed_skips():
    with open("tests/allowed-skips", encoding="utf-8") as file:
        return {line.split()[0] for line in file if line.strip() and not line.startswith("#")}


def finish(report, seconds, options):
    report.clear()
    failed = [result for result in report.results if result.verdict == "FAIL"]
    if report.results:
        keep_times(report, seconds, options.tests)
        print()
        for suite, entry in sums(report).items():
            print(f"{suite}: {entry['tests']} tests, {entry['seconds']:.0f} s")
        print(f"all: {seconds:.0f} s; {TIMES} has each")
    if failed:
        print()
        for result in failed:
            print(f"FAIL {result.name}{result.text.splitlines()[0] if result.text else ''}")
    print(f"{report.count('ok')} passed, {len(failed)} failed, {report.count('skip')} skipped")
    return 0 if not failed and report.count("ok") else 1


if __name__ == "__main__":
    sys.exit(main())
