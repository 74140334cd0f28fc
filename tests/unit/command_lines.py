#!/usr/bin/env python3
"""Tests the command lines of Vitrine's installed programs: command_lines.py TREE [WORD...]

Which programs there are says the build tree; which options they have, their --help. What is particular stands in the tables below.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import testing  # noqa: E402

MISUSED = 2
NUMBERS = ("INT", "UINT", "FLOAT")  # as CLI11 names them in --help
SECONDS = 60
KEY = "0123456789abcdef" * 2

# Wrong command lines: the arguments, and what the message must name. The clip and the key do not exist: a wrong option must be reported
# before any file is opened. OUT is a path at which no file may be left.
WRONG = {
    "vitrine": [
        (["--config"], "--config"),
        (["--config", "/nowhere/vitrine.toml", "--check-config"], "/nowhere/vitrine.toml: ENOENT"),
        (["--config", "/", "--check-config"], "read /: EISDIR"),
        (["--config", "/nowhere/vitrine.toml"], "/nowhere/vitrine.toml: ENOENT"),
        (["--log", "loud"], "--log: log levels loud: no such level"),
        (["--log", "kms=loud", "--check-config"], "--log: log levels kms=loud: no such level"),
    ],
    "vitrinectl": [
        ([], "a command is required"),
        (["fly"], "fly"),
        (["action"], "action"),
        (["windows", "surplus"], "surplus"),
    ],
    "vitrine-session": [
        (["surplus"], "surplus"),
    ],
    "vitrine-probe": [
        (["--heaps", "/nowhere/heaps.toml"], "/nowhere/heaps.toml: ENOENT"),
        (["--heaps", "/"], "/: EISDIR"),
        (["--table", "surplus"], "surplus"),
    ],
    "vitrine-play": [
        (["clip", "surplus"], "surplus"),
        (["clip", "--key", "k", "--key-hex", KEY], "--key excludes --key-hex"),
        (["clip", "--fullscreen", "--size", "640x360"], "--fullscreen excludes --size"),
        (["clip", "--key-hex", "0123"], "--key-hex"),
        (["clip", "--key-hex", "0123456789abcdef0123456789abcdeg"], "--key-hex"),
        (["clip", "--size", "640"], "--size"),
        (["clip", "--size", "0x360"], "--size"),
        (["clip", "--size", "640x360x2"], "--size"),
        (["clip", "--size", "99999999999x1"], "--size"),
        (["clip", "--transform", "45"], "--transform"),
        (["clip", "--flag", "maybe"], "--flag"),
        (["clip", "--application", "sdp"], "--application"),
        (["clip", "--application", "0"], "--application"),
        (["clip", "--buffers", "1"], "--buffers"),
        (["clip", "--buffers", "17"], "--buffers"),
        (["clip", "--buffers", "-2"], "--buffers"),
        (["clip", "--seconds", "0"], "--seconds"),
        (["clip", "--seconds", "-1"], "--seconds"),
        (["clip", "--seconds", "nan"], "--seconds"),
        (["clip", "--seconds", "inf"], "--seconds"),
        (["clip", "--seconds", "1e300"], "--seconds"),
        (["clip", "--frames", "0"], "--frames"),
        (["clip", "--frames", "-1"], "--frames"),
        (["clip", "--frames", "1.5"], "--frames"),
        (["clip", "--frames", "18446744073709551616"], "--frames"),
    ],
    "vitrine-display-test": [
        (["--group", "maps"], "--group"),
        (["--need", "gpus"], "--need"),
        (["--explain", "map/nothing"], "--explain: there is no case `map/nothing`"),
        (["map/nothing"], "no case is selected"),
        (["--repeat", "0"], "--repeat"),
        (["--timeout", "0"], "--timeout"),
        (["--shuffle", "x"], "--shuffle"),
        (["--secret", "0123"], "--secret"),
        (["compare", "/nowhere/a.json"], "AFTER"),
        (["compare", "/nowhere/a.json", "/nowhere/b.json"], "/nowhere/a.json: ENOENT"),
    ],
    "vitrine-pack": [
        (["-o", "OUT"], "INPUT"),
        (["-o", "OUT"], "--test-pattern"),
        (["--test-pattern", "640x360@30:2"], "--output"),
        (["video", "--test-pattern", "640x360@30:2", "-o", "OUT"], "INPUT excludes --test-pattern"),
        (["--test-pattern", "640x360@30:2", "-o", "OUT", "--key", "k", "--key-hex", KEY], "--key excludes --key-hex"),
        (["--test-pattern", "640x360@30:2", "-o", "OUT", "--key-hex", "0123"], "--key-hex"),
        (["--test-pattern", "640x360@30:2", "-o", "OUT", "--size", "640"], "--size"),
        (["--test-pattern", "640x360@30:2", "-o", "OUT", "--encoding", "bt470"], "--encoding"),
        (["--test-pattern", "640x360@30:2", "-o", "OUT", "--range", "tv"], "--range"),
        (["--test-pattern", "640x360", "-o", "OUT"], "test pattern `640x360`"),
        (["--test-pattern", "640x360@30:0", "-o", "OUT"], "test pattern `640x360@30:0`"),
        (["--test-pattern", "640x360@0:2", "-o", "OUT"], "test pattern `640x360@0:2`"),
        (["--test-pattern", "640x360@30/0:2", "-o", "OUT"], "test pattern `640x360@30/0:2`"),
        (["--test-pattern", "640x360@30:2 ", "-o", "OUT"], "test pattern `640x360@30:2 `"),
        (["--test-pattern", "2x2@30:2", "-o", "OUT"], "test pattern `2x2@30:2`"),
        (["--test-pattern", "640x360@30:99999999", "-o", "OUT"], "test pattern `640x360@30:99999999`"),
    ],
    "vitrine-plane-bench": [
        (["surplus"], "surplus"),
        (["--metric", "nonsense"], "--metric: there is no metric `nonsense`"),
        (["--explain", "nonsense"], "--explain: there is no metric `nonsense`"),
        (["--repetitions", "0"], "--repetitions"),
        (["--samples", "1"], "--samples"),
        (["--quick", "--samples", "5"], "--samples excludes --quick"),
        (["--json", "/nowhere/a.json"], "write /nowhere/a.json: ENOENT"),
        (["--json", "/"], "write /: "),
        (["--json", "-", "--csv", "-"], "more than one of them goes to stdout"),
        (["--json", "OUT", "--tap", "/nowhere/limits.toml"], "read /nowhere/limits.toml: ENOENT"),
        (["compare"], "A is required"),
        (["compare", "/nowhere/a.json"], "read /nowhere/a.json: ENOENT"),
        (["compare", "/"], "read /: EISDIR"),
        (["report", "/nowhere/a.json"], "read /nowhere/a.json: ENOENT"),
        (["report", "/dev/null"], "read /dev/null"),
    ],
}


def introspect(tree, what):
    return json.loads(subprocess.check_output(["meson", "introspect", what, tree]))


def programs(tree):
    """The path of every installed program, by its name."""
    installed = introspect(tree, "--installed")
    return {os.path.basename(path): path for path, where in installed.items() if os.path.basename(os.path.dirname(where)) == "bin"}


def run(program, *arguments):
    """Its status, standard output and standard error, run without access to a session."""
    environment = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "VITRINE_LOG", "XDG_CONFIG_HOME")}
    got = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment,
                         timeout=SECONDS, check=False)
    return got.returncode, got.stdout, got.stderr


def options(help_text):
    """Each option of a --help text as name, type (None: a flag) and description. A description may begin on the next line."""
    listed = help_text.split("\nOptions:\n", 1)[1].split("\n\n", 1)[0]
    for entry in re.split(r"\n(?=  -)", listed):
        names, rest = re.match(r"\s*(\S+)(.*)", entry, re.DOTALL).groups()
        value = re.match(r" ([A-Z]+)\b", rest)
        described = re.findall("[a-z]+", re.sub(r"^ [A-Z]+(:\S+)?", "", rest))
        yield names.split(",")[-1], value and value.group(1), len(described) > 1


def expect_misuse(program, arguments, named):
    status, out, error = run(program, *arguments)
    said = f"{os.path.basename(program)} {' '.join(arguments)}: status {status}, stdout {out!r}, stderr {error!r}"
    if status != MISUSED or out or named not in error:
        yield f"{said}: not {MISUSED} with {named!r} on stderr alone"


def tests_of(name, path, version):
    """The tests of one program. Each collects everything that is wrong."""

    def help_is_given():
        status, out, error = run(path, "--help")
        if (status, error) != (0, ""):
            yield f"status {status}, stderr {error!r}"
        if not re.search(rf"^Usage: {name} ", out, re.MULTILINE):
            yield f"usage does not name the program: {out!r}"
        if "xit status: " not in out and "\nStatus: " not in out:
            yield "it does not say what it ends with"
        found = list(options(out))
        for wanted in ("--help", "--version"):
            if wanted not in [option for option, _, _ in found]:
                yield f"{wanted} is not among {found}"
        yield from (f"{option} is not described" for option, _, described in found if not described)

    def version_is_told():
        got = run(path, "--version")
        if got != (0, f"{name} {version}\n", ""):
            yield f"{got}"

    def misuse_is_told():
        required = re.findall(r"^  (?:-\w,)?(\S+) .*\bREQUIRED\b", run(path, "--help")[1], re.MULTILINE)
        given = [word for operand in required for word in ([operand, "x"] if operand.startswith("-") else ["x"])]
        yield from expect_misuse(path, [*given, "--no-such-option"], "--no-such-option")
        if required:
            yield from expect_misuse(path, [], required[0])
        for option, value, _ in options(run(path, "--help")[1]):
            if value is not None:
                yield from expect_misuse(path, [option], option)
            if value in NUMBERS:
                yield from expect_misuse(path, [option, "many"], option)

    def wrong_command_lines_are_told():
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out")
            for arguments, named in WRONG[name]:
                yield from expect_misuse(path, [out if word == "OUT" else word for word in arguments], named)
                if os.listdir(folder):
                    yield f"{arguments} left {os.listdir(folder)}"

    return [help_is_given, version_is_told, misuse_is_told] + ([wrong_command_lines_are_told] if name in WRONG else [])


def judged(test, name):
    def whole():
        wrong = list(test())
        if wrong:
            raise AssertionError("; ".join(wrong))

    whole.__name__ = f"{name}/{test.__name__}"
    return whole


def main(tree, words):
    found = programs(tree)
    version = introspect(tree, "--projectinfo")["version"]
    for name, path in sorted(found.items()):
        for test in tests_of(name, path, version):
            testing.test(judged(test, name))

    @testing.test
    def every_program_of_the_tables_is_installed():
        testing.equal(sorted(WRONG.keys() - found.keys()), [], "programs that are not")

    @testing.test
    def the_example_configuration_is_right():
        example = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../configs/vitrine.toml")
        testing.equal(run(found["vitrine"], "--check-config", "--config", example), (0, "", ""), "answer")

    testing.main(words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
