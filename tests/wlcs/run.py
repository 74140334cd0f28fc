#!/usr/bin/env python3
"""Runs one part of WLCS, the Wayland conformance suite, on Vitrine: run.py PART PARTS. In the guest.

A part passes if every test of it ran, what failed is listed in `expected-failures`, nothing that is listed there passed, and nothing was
skipped but for a protocol that Vitrine leaves out on purpose.
"""

import fnmatch
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("VITRINE_BUILD", "/vitrine/build/platform")
MODULE = f"{BUILD}/tests/wlcs/vitrine_wlcs.so"
LEFT_OUT = {"wl_shell", "zxdg_shell_v6", "gtk_primary_selection_device_manager", "zwp_text_input_manager_v2"}
SELF_TESTS = "SelfTest."  # WLCS's own, some of which are to be skipped
RESULT = re.compile(r"\[ +(RUN|OK|FAILED|SKIP) +\] ([^\s,]+)")
MISSING = re.compile(r"Missing extension: (\w+)")


def runner():
    """The program of Debian's package, which its pkg-config file names; sanitized where the tree is."""
    path = subprocess.run(["pkg-config", "--variable=test_runner", "wlcs"], check=True, capture_output=True, text=True).stdout.strip()
    return path + (".asan" if BUILD.endswith("asan") else "")


def expected_failures():
    """Patterns of names, each with its reason."""
    with open(os.path.join(HERE, "expected-failures"), encoding="utf-8") as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    return {name: reason.strip() for name, reason in lines}


def run(part, parts):
    """What became of each test, what it printed, and which protocols a skipped one wanted; and the exit status."""
    environment = os.environ | {"GTEST_TOTAL_SHARDS": str(parts), "GTEST_SHARD_INDEX": str(part - 1)}
    results, said, wanted, current = {}, {}, {}, None
    with subprocess.Popen([runner(), MODULE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        for line in process.stdout:
            if match := RESULT.match(line):
                state, name = match.groups()
                if state == "RUN":
                    current, said[name], results[name] = name, [], "aborted"
                elif name == current:
                    results[name], current = state, None
            elif current:
                said[current].append(line.rstrip())
                if match := MISSING.search(line):
                    wanted.setdefault(current, set()).add(match[1])
    return results, said, wanted, process.returncode


def judge(results, wanted, expected):
    """What is wrong, by test."""
    wrong = {}
    for name, state in results.items():
        listed = any(fnmatch.fnmatchcase(name, pattern) for pattern in expected)
        if state == "aborted" or (state == "FAILED" and not listed):
            wrong[name] = state.lower()
        if state == "OK" and listed:
            wrong[name] = "passed, and is listed as an expected failure"
        if state == "SKIP" and not name.startswith(SELF_TESTS) and not wanted.get(name, {"no protocol that it names"}) <= LEFT_OUT:
            wrong[name] = f"skipped: it misses {', '.join(sorted(wanted.get(name, ())))}"
    return wrong


def main():
    part, parts = int(sys.argv[1]), int(sys.argv[2])
    name = f"part-{part}-of-{parts}"
    results, said, wanted, status = run(part, parts)
    wrong = judge(results, wanted, expected_failures())
    states = list(results.values())
    summary = f"{states.count('OK')} passed, {states.count('FAILED')} failed, {states.count('SKIP')} skipped"
    if not results or status not in (0, 1):
        wrong.setdefault("wlcs", f"ended with status {status}")
    if not wrong:
        print(f"ok {name} ({summary})")
        return
    print(f"FAIL {name}: {len(wrong)} tests; {summary}")
    for test, why in wrong.items():
        print(f"    {test}: {why}")
        for line in said.get(test, [])[-12:]:
            print(f"        {line}")


main()
