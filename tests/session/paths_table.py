#!/usr/bin/env python3
"""The table of paths in tests/README.md, between its two markers.

paths_table.py --check DIR   status 1, and the lines that differ, where it is not what paths.py left in DIR as PROFILE.md
paths_table.py --write DIR   writes it again from there
paths_table.py --write       writes it as it should be
"""

import argparse
import difflib
import os
import sys

import expected_paths

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../README.md")
BEGIN, END = "<!-- paths: begin -->\n", "<!-- paths: end -->\n"
HEAD = ["| Board | Video | Path | Why on no plane | Panel | Screenshot |\n", "|---|---|---|---|---|---|\n"]


def split(text):
    """The text before the table, the table's lines, and the text after it."""
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    return before + BEGIN, table.splitlines(keepends=True), END + after


def rows_seen(directory):
    rows = []
    for profile in expected_paths.EXPECTED:
        path = os.path.join(directory, f"{profile}.md")
        if not os.path.exists(path):
            sys.exit(f"paths_table: {path}: no rows of this board; run ./check display first")
        with open(path, encoding="utf-8") as file:
            rows += file.readlines()
    return rows


def rows_expected():
    return [expected_paths.expected_row(profile, case) + "\n" for profile in expected_paths.EXPECTED for case in expected_paths.CASES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", metavar="DIR")
    what.add_argument("--write", metavar="DIR", nargs="?", const="")
    arguments = parser.parse_args()
    directory = arguments.check if arguments.check is not None else arguments.write
    table = HEAD + (rows_seen(directory) if directory else rows_expected())
    with open(README, encoding="utf-8") as file:
        before, kept, after = split(file.read())
    if arguments.check is None:
        with open(README, "w", encoding="utf-8") as file:
            file.write(before + "".join(table) + after)
        return 0
    sys.stdout.writelines(difflib.unified_diff(kept, table, "tests/README.md", "what was seen", n=0))
    return 0 if kept == table else 1


if __name__ == "__main__":
    sys.exit(main())
