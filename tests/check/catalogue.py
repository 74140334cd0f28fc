"""Which tests there are: every suite, as jobs for the queue.

A session test is a function of a module in tests/session; which of them a board has, the module itself says (`--list`). GoogleTest
programs come from the build tree. To add a test, add it there; to add a board or a program that runs on several, add a row here.
"""

import dataclasses
import json
import os
import shutil
import subprocess

from jobs import Job, Result, indented

LEGACY = ("legacy-mediatek", "legacy-android", "tegra-vpr")
UNPROVEN = ("mappable-name", "maps-and-faults", "tee-takes-all")  # boards whose only nominated heap can be mapped
CHUNK = 60  # seconds of session tests that one machine runs


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    what: str
    minutes: float  # warm, alone on two cores
    default: bool = True


SUITES = [
    Suite("style", "format, include fence, and the runner's own tests", 0.3),
    Suite("build", "both trees, without a warning", 10, default=False),
    Suite("unit", "programs that run anywhere", 0.5),
    Suite("selftest", "the virtual platform", 1.5),
    Suite("platform", "programs that need the platform's kernel", 4),
    Suite("session", "whole sessions: compositor, clients, panel camera", 8),
    Suite("demo", "./demo, as a newcomer calls it", 1),
    Suite("asan", "the unit programs, sanitized", 1, default=False),
    Suite("sanitized", "everything else that a sanitizer can judge: platform programs, GPU, leak scenes, sessions", 14, default=False),
    Suite("fuzz", "random bytes for every parser, random requests on every global, sanitized", 2, default=False),
    Suite("leak", "thousands of random trees of surfaces", 60, default=False),
    Suite("wlcs", "the Wayland conformance suite", 6),
    Suite("bench", "numbers for a person to compare, in build/bench", 5, default=False),
    Suite("arm64", "everything cross-built for arm64, and the unit programs under qemu", 15, default=False),
    Suite("tidy", "clang-tidy over all sources; of those that did not change, the last result", 0.5, default=False),
]

# Session tests: module, and the boards that it runs on.
SESSION = [
    ("check", ("full", "plane-only", "untrusted-display", "untrusted-gpu", "legacy-mediatek", "legacy-android", *UNPROVEN, "no-underlay",
               "no-gpu")),
    ("player", ("full", "no-heap", "tiny-pool", *UNPROVEN, "no-supplicant")),
    ("probe", ("full", "plane-only", "no-heap", "legacy-mediatek", "legacy-android", "tiny-pool", *UNPROVEN, "no-supplicant", "no-gpu")),
    ("paths", ("full", "plane-only", "gpu-only", "single-plane", "no-gpu", "untrusted-display", "no-heap", "legacy-mediatek", "legacy-android",
               "tiny-pool", *UNPROVEN)),
    ("captures", ("full", "two-outputs")),
    ("image_captures", ("full", "two-outputs")),
    ("configuration", ("full",)),
    ("control", ("full",)),
    ("inputs", ("full",)),
    ("panels", ("full",)),
    ("programs", ("full",)),
    ("protected_content", ("full", "plane-only", "gpu-only", "no-gpu", "no-heap", "untrusted-display")),
    ("hdcp", ("hdmi",)),
    ("protocols", ("full",)),
    ("window_hints", ("full",)),
    ("resilience", ("full", "gpu-only")),
    ("shell", ("full",)),
    ("stopping", ("full",)),
    ("kiosk", ("full",)),
    ("x11", ("full",)),
    ("video", ("full", "gpu-only")),
    ("machine", ("full", "gpu-only")),
    ("plane_bench", ("full",)),
    ("display_test", ("full", "plane-only", "gpu-only", "no-gpu")),
    ("outputs", ("two-outputs",)),
    ("abuse", ("full",)),
    ("display_gone", ("two-outputs",)),
    ("storms", ("two-outputs",)),
]

# Modules whose tests speak protocols by tests/session/wayland.py: the requests that they send are counted.
SPEAKERS = ("captures", "image_captures", "panels", "protected_content", "protocols", "window_hints")

# Modules whose tests share one session, so that they are not spread over several machines.
ONE_SESSION = ("paths",)

# Those that run sanitized as well: what abuses, resizes, switches and ends a session. A sanitizer judges no pixel and no path, so that
# colours, paths, the probe and the demonstration stay out; the code that they run is run by these and by the platform programs.
SANITIZED_SESSION = [
    ("check", "full", ("bad-clients-get-their-errors-and-harm-nobody", "clean-start-and-stop", "clients-of-other-toolkits-run",
                       "a-window-over-the-video-puts-it-on-an-underlay")),
    ("player", "full", ("damaged-clips-are-refused-by-name",)),
    ("check", "untrusted-display", ()),
    ("abuse", "full", ()),
    ("inputs", "full", ()),
    ("resilience", "full", ()),
    ("resilience", "gpu-only", ()),
    ("shell", "full", ()),
    ("stopping", "full", ()),
]

# Parsers that tests/fuzz has a target for.
FUZZ_TARGETS = ("clip-header", "config", "fdinfo", "heap-table")

# GoogleTest programs that run on further boards: result name, program, profile.
FURTHER_BOARDS = [
    ("renderer-on-plane-only", "renderer-test", "plane-only"),
    ("protected-formats-on-plane-only", "renderer-protected-formats-test", "plane-only"),
    ("renderer-on-no-gpu", "renderer-test", "no-gpu"),
    ("renderer-on-maps-and-faults", "renderer-test", "maps-and-faults"),
    ("leak-session-on-no-gpu", "leak-session-test", "no-gpu"),
    ("leak-session-on-gpu-only", "leak-session-test", "gpu-only"),
    ("leak-session-on-legacy-android", "leak-session-test", "legacy-android"),
    *((f"protected-heap-on-{profile}", "protected-heap-platform-test", profile) for profile in LEGACY),
    ("protected-heap-platform-with-dump", "protected-heap-platform-test", "selftest"),
    ("composition-platform-with-dump", "composition-platform-test", "selftest"),
]

# A board without a GPU has another renderer: the tests that are not about Vulkan run there.
ONLY = {
    "renderer-on-no-gpu": ("--gtest_filter=Drawing.*:Protection.*:Uploads.*:Formats.*:Lifetime.*:Fences.oneThatCame*"
                           "-*goToTheGpu*:*bufferWithoutAByteToSpare:*noFdIsLeftBehind:*whatAPassUses*:*importsOfEitherWay*"
                           ":*aSamplerMayOutlive*",),
    "renderer-on-maps-and-faults": ("--gtest_filter=Protection.memoryThatFaults*",),
}

# vitrine-display-test: the boards that it has to judge, and those on which each of its cases is made to fail once.
DISPLAY_TEST_BOARDS = ("full", "plane-only", "untrusted-display", "no-heap", "legacy-mediatek", "two-outputs", "no-supplicant",
                       "selftest", "mappable-name", "tee-takes-all", "maps-and-faults")
DISPLAY_TEST_PROOFS = ("full", "selftest")

DEMO_PROFILES = ("full", "plane-only", "gpu-only", "no-gpu", "untrusted-display", "no-heap", "tiny-pool")

ASAN_ENVIRONMENT = {
    # The validation layer crawls under the default quarantine, which keeps 256 MiB of what was freed.
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:quarantine_size_mb=8",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "LSAN_OPTIONS": "suppressions=/vitrine/tests/lsan-suppressions.txt:print_suppressions=0",
    "VITRINE_PASS": "ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS GTEST_FILTER VITRINE_FUZZ_SEED VITRINE_FUZZ_REQUESTS",
}
WLCS_PARTS = 6
RUN, ENTER = "tests/platform/run", "tests/platform/enter"
BUILD = {"platform": "build/platform", "asan": "build/asan"}  # tree: the job that makes it


class Unlisted(Exception):
    """The tests cannot be listed, so that nothing can be said about them."""


def said(command, **environment):
    """What a command prints; Unlisted if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ) | environment)
    if done.returncode != 0:
        raise Unlisted(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


def configure(tree):
    """The build tree is configured, whoever made it."""
    said(["tests/platform/configure", tree])


def programs(tree, suite):
    """The GoogleTest programs of a suite in a build tree: (name, path)."""
    tests = json.loads(said([ENTER, "--", "meson", "introspect", "--tests", f"build/{tree}"]))
    found = [(test["name"], test["cmd"][0]) for test in tests if suite in [name.split(":")[-1] for name in test["suite"]]]
    if not found:
        raise Unlisted(f"build/{tree} has no test program of suite {suite}")
    return found


def session_tests():
    """{(module, board): the names of its tests}."""
    lines = said([ENTER, "--", "python3", "tests/session/list_tests.py", json.dumps(SESSION)]).splitlines()
    found = {tuple(line.split()[:2]): tuple(line.split()[2:]) for line in lines}
    for module, boards in SESSION:
        for board in boards:
            if not found.get((module, board)):
                raise Unlisted(f"tests/session/{module}.py has no test for board {board}")
    return found


def display_tests(script, board):
    """The names of what a script says about a board."""
    return tuple(said(["python3", script, "--list"], VITRINE_PROFILE=board).split())


class Catalogue:
    """All jobs. `expected`: how long a result took the last time, by name."""

    def __init__(self, expected):
        self.expected = expected

    def jobs(self, suites):
        """The jobs of these suites, and the builds that they need."""
        makers = {"style": self.style, "build": self.builds, "unit": self.unit, "selftest": self.selftest, "platform": self.platform,
                  "session": self.session, "demo": self.demo, "asan": self.asan, "sanitized": self.sanitized,
                  "fuzz": self.fuzz, "leak": self.leak, "wlcs": self.wlcs,
                  "bench": self.bench, "arm64": self.arm64, "tidy": self.tidy}
        found = [job for suite in suites for job in makers[suite]()]
        have = {job.id for job in found}
        needed = {need for job in found for need in job.after if need.startswith("build/")} - have
        return found + [job for job in self.builds() if job.id in needed]

    def seconds(self, name, default):
        return self.expected.get(name, default)

    def style(self):
        script = lambda name: Job("style", name, ["tests/check/style", name], prefix="style", tests=(name,))  # noqa: E731
        return [script("clang-format"), script("the-library-knows-no-wayland"), script("headers-compile-alone"),
                script("rules-name-what-exists"), script("the-runner-believes-nothing")]

    def builds(self):
        # The sanitized tree is compiled beside the first suites, behind them in priority.
        return [
            Job("build", "platform", ["tests/check/build", "platform"], prefix="build", slots=2, seconds=3000),
            Job("build", "asan", ["nice", "-n", "10", "tests/check/build", "asan"], prefix="build", seconds=2000),
        ]

    def program(self, suite, name, command, **more):
        return Job(suite, name, command, reads="googletest", prefix=suite, seconds=self.seconds(f"{suite}/{name}", 20), **more)

    def unit(self):
        after = (BUILD["platform"],)
        return [
            Job("unit", "readme-names-the-packages", ["tests/check/packages", "platform"], tests=("readme-names-the-packages",), after=after),
            Job("unit", "command-lines", [ENTER, "--", "python3", "tests/unit/command_lines.py", "build/platform"], after=after),
            Job("unit", "install", [ENTER, "--", "python3", "tests/unit/install_test.py", "build/platform"], after=after),
            *(self.program("unit", name, [ENTER, "--", path], after=after) for name, path in programs("platform", "unit")),
        ]

    def selftest(self):
        return [Job("selftest", group, ["tests/platform/selftest/all", group], prefix="selftest", seconds=60, after=(BUILD["platform"],))
                for group in ("scripts", "run", "boards")]

    def platform(self):
        return [*self.guest_programs("platform", "platform", "platform", 150), *self.guest_programs("platform", "gpu", "platform", 150),
                *self.further_boards("platform", "platform", 150), *self.display_test()]

    def display_test(self):
        folder = "tests/board/display-test/proofs"
        boards = [Job("platform", f"display-test/{board}",
                      [RUN, "--profile", board, "--out", "{folder}/out", "--time-limit", "900", "--", "python3", f"{folder}/boards.py"],
                      prefix=f"platform/display-test/{board}", tests=display_tests(f"{folder}/boards.py", board), seconds=60,
                      after=(BUILD["platform"],)) for board in DISPLAY_TEST_BOARDS]
        proofs = [Job("platform", f"display-test-proofs/{board}",
                      [RUN, "--profile", board, "--time-limit", "1800", "--", "python3", f"{folder}/prove.py"],
                      prefix=f"platform/display-test-proofs/{board}", seconds=300, after=(BUILD["platform"],))
                  for board in DISPLAY_TEST_PROOFS]
        return boards + proofs

    def guest_programs(self, suite, kind, tree, scenes, filters=None, options=()):
        environment = {"VITRINE_LEAK_SCENES": str(scenes)} if scenes else {}
        return [self.program(suite, name, [RUN, "--build", tree, "--time-limit", "1800", *options, "--", path], after=(BUILD[tree],),
                             environment=environment | (filters or {}))
                for name, path in programs(tree, kind)]

    def further_boards(self, suite, tree, scenes, options=()):
        return [self.program(suite, name, [RUN, "--build", tree, "--profile", profile, "--time-limit", "1800", *options, "--", program,
                              *ONLY.get(name, ())], after=(BUILD[tree],), environment={"VITRINE_LEAK_SCENES": str(scenes)})
                for name, program, profile in FURTHER_BOARDS]

    def session(self):
        jobs = []
        for (module, board), tests in session_tests().items():
            jobs += self.session_jobs("session", "platform", module, board, tests)
        paths = tuple(job.id for job in jobs if job.name.startswith("paths/"))
        jobs.append(Job("session", "paths-table", ["tests/check/paths_table", "platform"], prefix="session",
                        tests=("paths-table-is-what-was-seen",), after=paths))
        speakers = tuple(job.id for job in jobs if job.name.split("/")[0] in SPEAKERS)
        jobs.append(Job("session", "requests", ["tests/check/requests", "platform"], prefix="session", tests=("requests-exercised",),
                        after=speakers))
        return jobs

    def session_jobs(self, suite, tree, module, board, tests, options=()):
        """Machines that run these tests, each about CHUNK seconds of them."""
        chunks, left = [], 0
        for test in tests:
            took = self.seconds(f"{suite}/{module}/{board}/{test}", 8)
            if not chunks or (left < took and module not in ONE_SESSION):
                chunks.append([])
                left = CHUNK
            chunks[-1].append(test)
            left -= took
        command = [RUN, "--build", tree, "--profile", board, "--out", "{folder}/out", "--time-limit", "900", *options, "--",
                   "python3", f"tests/session/{module}.py"]
        cleanup = {"paths": keep_paths(tree, board)} | dict.fromkeys(SPEAKERS, keep_requests(tree))
        return [Job(suite, f"{module}/{board}" + (f"/{number}" if number else ""), [*command, *chunk], prefix=f"{suite}/{module}/{board}",
                    tests=tuple(chunk), after=(BUILD[tree],), cleanup=cleanup.get(module),
                    seconds=sum(self.seconds(f"{suite}/{module}/{board}/{test}", 8) for test in chunk),
                    environment={"VITRINE_SOAK_FRAMES": os.environ.get("VITRINE_SOAK_FRAMES", "3000")})
                for number, chunk in enumerate(chunks)]

    def wlcs(self):
        names = [f"part-{part}-of-{WLCS_PARTS}" for part in range(1, WLCS_PARTS + 1)]
        return [Job("wlcs", name, [RUN, "--profile", "no-gpu", "--time-limit", "1800", "--", "python3", "tests/wlcs/run.py", str(part),
                                   str(WLCS_PARTS)], prefix="wlcs", tests=(name,), seconds=self.seconds(f"wlcs/{name}", 120),
                    after=(BUILD["platform"],)) for part, name in enumerate(names, 1)]

    def demo(self):
        return [Job("demo", profile, ["tests/check/demo", profile, "{folder}"], prefix="demo", tests=(profile,), seconds=40,
                    after=(BUILD["platform"],)) for profile in DEMO_PROFILES]

    def asan(self):
        found = programs("asan", "unit")
        targets = [path.removeprefix("/vitrine/build/asan/") for _, path in found]
        return [
            Job("build", "asan-units", ["nice", "-n", "10", "tests/check/build", "asan", *targets], prefix="build", seconds=1000),
            *(self.program("asan", name, [ENTER, "--", path], after=("build/asan-units",), environment=ASAN_ENVIRONMENT)
              for name, path in found),
        ]

    def sanitized(self):
        # One processor a machine: the sanitizer's page faults cost more with two.
        options = ("--cpus", "1")
        # The largest pictures come in a process of their own. User Mode Linux maps page by page, sanitized programs have many pages,
        # and past the host's vm.max_map_count the machine faults for ever.
        without, alone = {"GTEST_FILTER": "-YccImages.*"}, {"GTEST_FILTER": "YccImages.*"}
        after = (BUILD["asan"],)
        jobs = [
            Job("sanitized", "command-lines", [ENTER, "--", "python3", "tests/unit/command_lines.py", "build/asan"], after=after),
            *self.guest_programs("sanitized", "platform", "asan", 30, without, options),
            *self.guest_programs("sanitized", "gpu", "asan", 0, None, options),
            self.program("sanitized", "renderer-ycc-images", [RUN, "--build", "asan", "--time-limit", "1800", *options, "--", "renderer-test"],
                         after=after),
        ]
        jobs[-1].environment |= alone
        # Pixels and formats of another board are judged by the suite platform; the code is the same as on `full`.
        jobs += [job for job in self.further_boards("sanitized", "asan", 8, options) if "-on-plane-only" not in job.name]
        listed = session_tests()
        for module, board, tests in SANITIZED_SESSION:
            unknown = set(tests) - set(listed[module, board])
            if unknown:
                raise Unlisted(f"tests/session/{module}.py has no {', '.join(sorted(unknown))} for board {board}")
            jobs += self.session_jobs("sanitized", "asan", module, board, tests or listed[module, board], options)
        for job in jobs:
            job.environment = ASAN_ENVIRONMENT | job.environment
        return jobs

    def fuzz(self):
        after = (BUILD["asan"],)
        jobs = [Job("fuzz", target, ["tests/check/fuzz", "asan", target], prefix="fuzz", tests=(target,), after=after,
                    seconds=self.seconds(f"fuzz/{target}", 20)) for target in FUZZ_TARGETS]
        jobs += self.session_jobs("fuzz", "asan", "wire_fuzz", "full", ("random-requests-end-their-client-and-nothing-else",),
                                  ("--cpus", "1"))
        for job in jobs:
            job.environment = ASAN_ENVIRONMENT | job.environment
        return jobs

    def leak(self):
        scenes = {"VITRINE_LEAK_SCENES": os.environ.get("VITRINE_LEAK_SCENES", "2000")}
        return [self.program("leak", f"session-on-{profile}", [RUN, "--profile", profile, "--time-limit", "7200", "--", "leak-session-test"],
                             after=(BUILD["platform"],), environment=scenes) for profile in ("full", "gpu-only")]

    def tidy(self):
        command = [ENTER, "--", "python3", "tests/check/tidy.py"]
        sources = tuple(said([*command, "--list"]).split())
        return [Job("tidy", "all", [*command, *sources], prefix="tidy", tests=sources, slots=2, after=(BUILD["platform"],))]

    def arm64(self):
        return [Job("arm64", "all", ["tests/check/arm64"], prefix="arm64", slots=2, seconds=900)]

    def bench(self):
        return [Job("bench", profile, ["tests/check/bench", profile], prefix="bench", tests=(profile,), slots=2, after=(BUILD["platform"],))
                for profile in ("planner", "compositors", "full", "plane-only")]


def keep_requests(tree):
    """Leaves in build/requests/TREE what a machine's tests sent."""

    def keep(folder, results):
        said = os.path.join(folder, "out", "requests.json")
        if not os.path.exists(said):
            return [Result("FAIL", f"session/requests/{os.path.basename(folder)}", ": left no list of requests")]
        os.makedirs(f"build/requests/{tree}", exist_ok=True)
        shutil.copy(said, f"build/requests/{tree}/{os.path.basename(folder)}.json")
        return []

    return keep


def keep_paths(tree, board):
    """Leaves the board's rows of the table of paths in build/paths/TREE."""

    def keep(folder, results):
        rows = os.path.join(folder, "out", "paths.md")
        if not os.path.exists(rows):
            return [Result("FAIL", f"session/paths/{board}", ": left no rows for the table\n" + indented(str(r) for r in results[:5]))]
        os.makedirs(f"build/paths/{tree}", exist_ok=True)
        with open(rows, encoding="utf-8") as source, open(f"build/paths/{tree}/{board}.md", "w", encoding="utf-8") as target:
            target.write(source.read())
        return []

    return keep
