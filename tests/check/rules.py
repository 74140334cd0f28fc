"""RULES.md: that what enforces and what pins each rule exists, and that the pinning tests ran.

A rule's section has a line `*Enforced in* ...` of FILE: function, and a line `*Pinned by* ...` of test names as ./check prints them, each in
backquotes.
"""

import re

from jobs import Result

RULES = "RULES.md"


def sections(text):
    """{rule: (enforcing (file, function) pairs, pinning test names)}."""
    found = {}
    for rule, body in re.findall(r"^## (R\d+)\b.*?$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE):
        enforced = re.search(r"\*Enforced in\*(.*?)(?=\n\n|\Z)", body, re.DOTALL)
        pinned = re.search(r"\*Pinned by\*(.*?)(?=\n\n|\Z)", body, re.DOTALL)
        found[rule] = (re.findall(r"`([\w./+-]+): ([\w:~]+)`", enforced[1] if enforced else ""),
                       re.findall(r"`([\w-]+/[^`]+)`", pinned[1] if pinned else ""))
    return found


def read():
    with open(RULES, encoding="utf-8") as file:
        return sections(file.read())


def wrong():
    """What RULES.md names and the code does not have; rules without a line; rules that are missing."""
    said = []
    found = read()
    for number in range(1, 11):
        rule = f"R{number}"
        enforced, pinned = found.get(rule, ([], []))
        if not enforced or not pinned:
            said.append(f"{rule} has no line that says where it is enforced, or none that says which test pins it")
        for path, function in enforced:
            try:
                with open(path, encoding="utf-8") as file:
                    if not re.search(rf"\b{re.escape(function.split('::')[-1])}\b", file.read()):
                        said.append(f"{rule}: {path} has no {function}")
            except OSError:
                said.append(f"{rule}: no file {path}")
    return said


def pinned_tests_passed(results):
    """One result: whether every test that RULES.md names passed in this run of everything."""
    passed = {result.name for result in results if result.verdict == "ok"}
    missing = [f"{rule}: {test}" for rule, (_, pinned) in read().items() for test in pinned if test not in passed]
    if missing:
        return [Result("FAIL", "style/rules-are-pinned", f": named in RULES.md and not passed: {'; '.join(missing)}")]
    return [Result("ok", "style/rules-are-pinned")]
