#!/usr/bin/env python3
"""Compiles every public header (protected-path/) alone, inside the root filesystem: headers.py. Prints the errors, and nothing if there are none.

A header that compiled is not compiled again until it, a header that it includes, the compiler or the flags change (build/check/headers).
"""

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

CACHE = "build/check/headers"
PACKAGES = ("libdrm", "gbm", "pixman-1", "spdlog", "tomlplusplus", "vulkan")
FLAGS = ("-std=c++23", "-fsyntax-only", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-missing-field-initializers",
         "-Werror", "-I.", "-x", "c++", "-")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def closure(path, found):
    """The header and all headers of the repository that it includes, in a fixed order."""
    if path not in found and os.path.exists(path):
        found[path] = open(path, "rb").read()
        for included in re.findall(rb'^#include "([^"]+)"', found[path], re.MULTILINE):
            closure(included.decode(), found)
    return found


def check(header, compiler):
    """The errors of a header, or nothing."""
    state = hashlib.sha256(repr((compiler, header, sorted(closure(header, {}).items()))).encode()).hexdigest()
    known = os.path.join(CACHE, state)
    if os.path.exists(known):
        return ""
    done = subprocess.run(compiler, input=f'#include "{header}"\n', capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{header} does not compile alone:\n{done.stderr}"
    open(known, "wb").close()
    return ""


def main():
    headers = output("git", "ls-files", "protected-path/*.h").split() if len(sys.argv) < 2 else sys.argv[1:]
    if not headers:
        sys.exit("no headers: is git there?")
    os.makedirs(CACHE, exist_ok=True)
    compiler = ("g++", *output("pkg-config", "--cflags", *PACKAGES).split(), *FLAGS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for errors in pool.map(lambda header: check(header, compiler), headers):
            print(errors, end="")


if __name__ == "__main__":
    main()
