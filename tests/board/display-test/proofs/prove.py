#!/usr/bin/env python3
"""Each case of vitrine-display-test can fail: prove.py [GROUP...], in the platform.

Breaks this board in each of the ways of table.json that belong to it (those without `board`: profile full), by preloading
broken_board.cpp, and runs the case's group. The case has to fail, and no other that does not fail without the break. A row without
`break` is about a board that is broken as it is: the case is the only one of its group that fails there.
"""

import contextlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "../../../platform/selftest"), os.path.join(HERE, "../../../session")]

import session  # noqa: E402
import testing  # noqa: E402

SECRET = "5ec2e7008d13f4619a07d62b3ce85f92"
DEFAULT_BOARD = "full"
BUILD = os.environ["VITRINE_BUILD"]
PROGRAM = os.path.join(BUILD, "tests/board/display-test/vitrine-display-test")
BROKEN = os.path.join(BUILD, "tests/board/display-test/broken-board.so")


@contextlib.contextmanager
def surroundings(group):
    """The environment of a group's cases: those of `compositor` need one."""
    if group != "compositor":
        yield dict(os.environ)
        return
    with session.Session(counted=False, validated=False) as running:
        yield running.environment


def verdicts(group, broken=None):
    """The verdict of each case of a group, with one thing broken."""
    with surroundings(group) as environment:
        if broken:
            # A sanitized program wants its own library to come first, and says so.
            environment = environment | {"LD_PRELOAD": BROKEN, "VITRINE_BREAK": broken, "VITRINE_BREAK_SECRET": SECRET}
        got = subprocess.run([PROGRAM, "--group", group, "--secret", SECRET, "--json", "-", "--timeout", "60"], env=environment,
                             capture_output=True, text=True, check=False)
    if got.returncode not in (0, 1, 77):
        raise AssertionError(f"status {got.returncode}: {got.stderr}")
    return {result["name"]: (result["verdict"], result["reason"]) for result in json.loads(got.stdout)["results"]}


def failing(results):
    return {name: reason for name, (verdict, reason) in results.items() if verdict == "fail"}


def prove(row, baseline):
    if "break" not in row:
        testing.equal(sorted(baseline), [row["case"]], f"failing cases where {row['how']}")
        return
    results = verdicts(row["case"].split("/")[0], row["break"])
    new = {name: reason for name, reason in failing(results).items() if name not in baseline}
    if row["case"] not in results:
        raise AssertionError("there is no such case")
    if row["case"] not in new:
        raise AssertionError(f"{row['how']}, and the case does not fail: {results[row['case']]}")
    if len(new) > 1:
        raise AssertionError(f"others fail, too: { {name: reason for name, reason in new.items() if name != row['case']} }")


def main(words):
    board = os.environ["VITRINE_PROFILE"]
    with open(os.path.join(HERE, "table.json"), encoding="utf-8") as file:
        table = json.load(file)
    listed = {line.split()[0] for line in subprocess.check_output([PROGRAM, "--list"], text=True).splitlines()}

    @testing.test
    def every_case_has_a_proof():
        testing.equal(sorted(listed - {row["case"] for row in table}), [], "cases that nothing makes fail")

    baselines = {}
    for row in table:
        group = row["case"].split("/")[0]
        if row.get("board", DEFAULT_BOARD) != board or (words and group not in words):
            continue
        if group not in baselines:
            baselines[group] = failing(verdicts(group))

        def proof(row=row, group=group):
            prove(row, baselines[group])

        proof.__name__ = row["case"]
        testing.test(proof)
    testing.main([])


if __name__ == "__main__":
    main(sys.argv[1:])
