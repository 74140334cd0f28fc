#!/usr/bin/env python3
"""clang-tidy over the sources of build/platform, inside the root filesystem: tidy.py --list | [SOURCE...], by default all of them. Prints one
result line per source.

A result is kept in build/check/tidy until the source, a header that it includes (`ninja -t deps`), its compile command, .clang-tidy or
clang-tidy changes. Headers are checked with the sources that include them.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

TREE = "build/platform"
CACHE = "build/check/tidy"
CHECKER = ("clang-tidy", "-p", TREE, "--quiet", "--warnings-as-errors=*", "--extra-arg=-Wno-unknown-warning-option")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sources():
    """{source: its compile command's entry}. A source of several targets counts once."""
    with open(f"{TREE}/compile_commands.json", encoding="utf-8") as file:
        entries = json.load(file)
    tracked = set(output("git", "ls-files", "*.cpp").split())
    paths = ((os.path.relpath(os.path.join(TREE, entry["file"])), entry) for entry in entries)
    return {path: entry for path, entry in paths if path in tracked}


def includes():
    """{object: the headers that it includes}."""
    found = {}
    for block in output("ninja", "-C", TREE, "-t", "deps").split("\n\n"):
        target, *headers = block.strip().split("\n")
        found[target.split(":")[0]] = [os.path.normpath(os.path.join(TREE, header.strip())) for header in headers]
    return found


class Hashes:
    """Content hashes of files. System headers belong to the root filesystem, where size and time are enough."""

    def __init__(self):
        self.known = {}

    def of(self, path):
        if path not in self.known:
            try:
                if path.startswith("/"):
                    status = os.stat(path)
                    self.known[path] = (status.st_size, status.st_mtime_ns)
                else:
                    with open(path, "rb") as file:
                        self.known[path] = hashlib.sha256(file.read()).hexdigest()
            except OSError:
                self.known[path] = "absent"
        return self.known[path]


def findings(source, state):
    """clang-tidy's findings in a source, or nothing; from the cache if `state` is known."""
    known = os.path.join(CACHE, state)
    if os.path.exists(known):
        with open(known, encoding="utf-8") as file:
            return file.read()
    done = subprocess.run([*CHECKER, source], capture_output=True, text=True, check=False)
    said = "" if done.returncode == 0 else "\n".join(unique(done.stdout) or (done.stderr.strip() or f"status {done.returncode}").split("\n"))
    with open(known + f".{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(said)
    os.replace(known + f".{os.getpid()}", known)
    return said


def unique(text):
    """The finding lines, without repetitions, code and notes."""
    found = (line for line in text.split("\n") if re.search(r": (error|warning): ", line))
    return list(dict.fromkeys(re.sub(r"^(\.\./)+", "", line.removeprefix(os.getcwd() + "/")) for line in found))


def main():
    entries = sources()
    wanted = sys.argv[1:] or sorted(entries)
    if not wanted:
        sys.exit(f"{TREE} has no sources")
    if wanted == ["--list"]:
        print(*sorted(entries), sep="\n")
        return
    os.makedirs(CACHE, exist_ok=True)
    included, hashes = includes(), Hashes()
    with open(".clang-tidy", encoding="utf-8") as file:
        common = (output("clang-tidy", "--version"), file.read(), CHECKER)

    def state(source):
        entry = entries[source]
        files = sorted({source, *included.get(entry["output"], [])})
        return hashlib.sha256(repr((common, entry["command"], [(path, hashes.of(path)) for path in files])).encode()).hexdigest()

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, said in zip(wanted, pool.map(lambda source: findings(source, state(source)), wanted)):
            lines = said.split("\n") if said else []
            print(f"FAIL {source}: {len(lines)} finding{'s' * (len(lines) > 1)}" if lines else f"ok {source}", *lines, sep="\n    ", flush=True)


if __name__ == "__main__":
    main()
