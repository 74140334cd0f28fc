"""Jobs, what they report, and the queue that runs them.

A job is one command: a test program, or a script that reports several tests. A queue feeds jobs to as many slots as the host has
cores and memory for, the longest first. What a job prints becomes results; a job that printed none is itself a failure.
"""

import contextlib
import dataclasses
import os
import queue
import re
import signal
import subprocess
import threading
import time

RESULT = re.compile(r"^(ok|FAIL|skip) ([^\s:]+)(.*)$", re.DOTALL)
GRACE = 20  # seconds that a job has to end its guests after SIGTERM


@dataclasses.dataclass
class Result:
    """One test. `text`: what follows its name, and for a failure the lines after that."""

    verdict: str  # ok, FAIL or skip
    name: str  # SUITE/NAME
    text: str = ""
    seconds: float = 0.0

    def __str__(self):
        first, *rest = self.text.split("\n")
        return "\n".join([f"{self.verdict} {self.name}{first} [{self.seconds:.1f} s]", *rest])


@dataclasses.dataclass
class Job:
    """One command. Result names are prefixed with `prefix`, SUITE or SUITE/NAME.

    `reads`: how its output is read: `lines` (it reports for itself, `ok NAME` and so on) or `googletest` (one result, named `name`).
    `tests`: the names that a `lines` job has to report; empty where only the job knows.
    `after`: jobs that have to have passed. `slots`: how many of the queue's slots it takes.
    """

    suite: str
    name: str
    command: list
    reads: str = "lines"
    prefix: str = ""
    tests: tuple = ()
    after: tuple = ()
    slots: int = 1
    seconds: float = 10.0  # expected
    environment: dict = dataclasses.field(default_factory=dict)
    cleanup: object = None  # called with the results once the job has ended; may return more results

    @property
    def id(self):
        return f"{self.suite}/{self.name}"


class LinesReader:
    """Reads `ok NAME`, `FAIL NAME: why`, `skip NAME: why`, each with the indented lines that follow it."""

    def __init__(self, job):
        self.job = job
        self.started = time.monotonic()
        self.pending = None

    def feed(self, line):
        """The result that this line completes, if it does."""
        match = RESULT.match(line)
        if match:
            done = self.pending
            now = time.monotonic()
            self.pending = Result(match[1], f"{self.job.prefix or self.job.suite}/{match[2]}", match[3], now - self.started)
            self.started = now
            return [done] if done else []
        if self.pending and line.startswith("    "):
            self.pending.text += "\n" + line
        return []

    def close(self, status, errors, seen):
        results = [self.pending] if self.pending else []
        verdicts = [result.verdict for result in [*seen, *results]]
        name, tail = self.job.id, indented(errors[-30:])
        if not verdicts:
            results.append(Result("FAIL", name, f": reported nothing (status {status})\n{tail}"))
        elif status not in (0, 1) or (status == 1 and "FAIL" not in verdicts):
            results.append(Result("FAIL", name, f": ended with status {status}\n{tail}"))
        prefix = self.job.prefix or self.job.suite
        reported = {result.name for result in [*seen, *results]}
        results += [Result("FAIL", f"{prefix}/{test}", ": did not run") for test in self.job.tests
                    if f"{prefix}/{test}" not in reported]
        return results


class GoogleTestReader:
    """One GoogleTest program as one result. A program without a case fails; a case that skipped is a skip of its own."""

    def __init__(self, job):
        self.job = job
        self.lines = []
        self.started = time.monotonic()

    def feed(self, line):
        self.lines.append(line)
        return []

    def close(self, status, errors, _seen):
        name, took = f"{self.job.prefix or self.job.suite}/{self.job.name}", time.monotonic() - self.started
        passed = next((int(m[1]) for line in self.lines if (m := re.match(r"\[  PASSED  \] (\d+) tests?", line))), 0)
        if status == 77:
            return [Result("skip", name, f": {self.lines[-1] if self.lines else 'no reason given'}", took)]
        if status != 0:
            said = [*failures(self.lines)[:60], *self.lines[-30:], *errors[-30:]]
            return [Result("FAIL", name, f": status {status}\n{indented(said)}", took)]
        skipped = sorted({m[1] for line in self.lines if (m := re.match(r"\[  SKIPPED \] ([A-Za-z_]+\.\S+)$", line))})
        skips = [Result("skip", f"{name}/{case}", ": see the program's output") for case in skipped]
        if passed == 0 and not skips:
            return [Result("FAIL", name, ": no case ran: a filter without a match, or a program without tests", took)]
        notes = "".join(f"\n    {line[2:]}" for line in self.lines if line.startswith("# "))
        return [Result("ok", name, f" ({passed} cases){notes}", took), *skips]


READERS = {"lines": LinesReader, "googletest": GoogleTestReader}


def failures(lines):
    """The paragraphs of GoogleTest's output that say what failed."""
    said, inside = [], False
    for line in lines:
        inside = line.endswith(": Failure") or (inside and line != "")
        if inside:
            said.append(line)
    return said


def indented(lines):
    return "\n".join(f"    {line}" for line in lines)


class Queue:
    """Runs jobs. `report` is called with each result as it comes, from one thread at a time."""

    def __init__(self, jobs, slots, folder, report, progress=lambda running, waiting: None):
        self.waiting = sorted(jobs, key=lambda job: -job.seconds)
        self.slots = slots
        self.folder = folder
        self.report = report
        self.progress = progress
        self.running = {}  # job id: its process
        self.failed = set()
        self.passed = set()
        self.events = queue.Queue()
        self.seconds = {}  # job id: how long it took

    def run(self):
        """Until every job has ended."""
        known = {job.id for job in self.waiting}
        while self.waiting or self.running:
            self._start_ready(known)
            self.progress(list(self.running), self.waiting)
            try:
                kind, job, payload = self.events.get(timeout=1)
            except queue.Empty:
                continue
            if kind == "result":
                self.report(payload)
            else:
                self._ended(job, payload)

    def stop(self):
        """Ends what runs, guests included."""
        processes = [process for process, _ in self.running.values()]
        for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 5)):
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, deadline - time.monotonic()))
            processes = [process for process in processes if process.poll() is None]

    def _start_ready(self, known):
        used = sum(job.slots for _, job in self.running.values())
        for job in list(self.waiting):
            needs = [need for need in job.after if need in known]
            if any(need in self.failed for need in needs):
                self.waiting.remove(job)
                self.failed.add(job.id)
                self.report(Result("FAIL", job.id, f": not run, since {next(n for n in needs if n in self.failed)} failed"))
            elif all(need in self.passed for need in needs) and (used + job.slots <= self.slots or not self.running):
                self.waiting.remove(job)
                used += job.slots
                self._start(job)

    def _start(self, job):
        folder = os.path.join(self.folder, job.id.replace("/", "-"))
        logs = os.path.join(folder, "kernel-logs")
        os.makedirs(logs, exist_ok=True)
        environment = dict(os.environ) | {"PLATFORM_LOGS": logs} | job.environment
        command = [word.replace("{folder}", folder) for word in job.command]
        with open(os.path.join(folder, "errors"), "wb") as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                                       errors="replace", env=environment, start_new_session=True)
        self.running[job.id] = (process, job)
        threading.Thread(target=self._read, args=(job, process, folder), daemon=True).start()

    def _read(self, job, process, folder):
        started = time.monotonic()
        reader, seen = READERS[job.reads](job), []

        def tell(results):
            for result in results:
                seen.append(result)
                self.events.put(("result", job, result))

        with process.stdout:
            for line in process.stdout:
                tell(reader.feed(line.rstrip("\n")))
        status = process.wait()
        with open(os.path.join(folder, "errors"), encoding="utf-8", errors="replace") as file:
            errors = file.read().splitlines()
        tell(reader.close(status, errors, list(seen)))
        tell(kernel_complaints(job, os.path.join(folder, "kernel-logs")))
        if job.cleanup:
            tell(job.cleanup(folder, list(seen)))
        self.events.put(("end", job, (seen, time.monotonic() - started)))

    def _ended(self, job, payload):
        results, took = payload
        del self.running[job.id]
        self.seconds[job.id] = took
        (self.failed if any(result.verdict == "FAIL" for result in results) else self.passed).add(job.id)


def kernel_complaints(job, folder):
    """A failure for each machine of the job whose kernel complained."""
    results = []
    for entry in sorted(os.listdir(folder)):
        if entry.endswith(".log"):
            path = os.path.join(folder, entry)
            said = subprocess.run(["tests/platform/complaints", path], capture_output=True, text=True, check=False)
            if said.returncode != 0:
                with open(path[:-4] + ".command", encoding="utf-8", errors="replace") as file:
                    command = file.readline().strip()
                results.append(Result("FAIL", f"{job.id}/kernel-log", f": {command}\n{indented(said.stdout.splitlines()[:5])}"))
    return results
