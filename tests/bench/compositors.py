"""What a frame costs: sway, weston, cage, labwc and vitrine, each with the same client in the same machine.

    tests/platform/run --profile BOARD -- python3 tests/bench/compositors.py [ROUNDS]

The client is weston-presentation-shm: one small surface, a new buffer for each frame. Rounds are interleaved; the table has medians, and
the spread of all rounds in brackets. Calls are counted by strace in a phase of its own, since it slows what it counts. The threads of a
software Vulkan driver (llvmpipe) stand for a GPU: their time is told apart. Judges nothing: times depend on the machine, calls and switches
hardly do. After it many_surfaces.py shows what surfaces cost that never change. Everything is in $OUT/compositors.json as well.
"""

import argparse
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

OUT = os.environ.get("OUT", "/tmp")
CLIENT = ["stdbuf", "-oL", "weston-presentation-shm", "-f"]
MANY = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "many_surfaces.py")]
STILL_SURFACES = (("beside", 1), ("beside", 100), ("beside", 1000), ("under", 100), ("under", 1000))
SECONDS = 4  # of each phase
TICKS = os.sysconf("SC_CLK_TCK")
CLOCKS = ("clock_gettime", "clock_gettime64", "gettimeofday")

COMPOSITORS = {
    "vitrine": ["vitrine"],
    "sway": ["sway", "-c", "/dev/null"],
    "weston": ["weston", "--backend=drm", "--renderer=pixman", "--continue-without-input", "--idle-time=0"],
    "cage": ["cage", "--", "sleep", "1000"],
    "labwc": ["labwc"],
}
COLUMNS = [
    ("calls", "calls/frame"),
    ("other_calls", "without futex, clock"),
    ("cpu_ms", "CPU ms/frame"),
    ("gpu_ms", "software GPU ms/frame"),
    ("switches", "switches/frame"),
    ("peak_mb", "peak MB"),
    ("socket_s", "exec to socket, s"),
    ("first_frame_s", "to first frame, s"),
    ("idle_wakeups", "wake-ups/s, still client"),
    *((f"{where}_{count}", f"CPU ms/frame, {count} still surfaces {where}") for where, count in STILL_SURFACES),
]


def until(predicate, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := predicate():
            return answer
        time.sleep(0.005)
    raise TimeoutError(f"{what}: not within {seconds} s")


def frames(log):
    """Frames that the client was told to be presented."""
    with open(log, encoding="utf-8", errors="replace") as file:
        return sum(1 for line in file if re.match(r"\s*\d+:", line))


def read(path):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def threads(pid):
    """What each thread has used: {id: (name, CPU seconds, context switches)}."""
    used = {}
    for task in glob.glob(f"/proc/{pid}/task/*"):
        stat, status = read(f"{task}/stat"), read(f"{task}/status")
        if not stat or not status:
            continue
        name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
        switches = sum(int(count) for count in re.findall(r"ctxt_switches:\s+(\d+)", status))
        used[task] = (name, (int(fields[11]) + int(fields[12])) / TICKS, switches)
    return used


def difference(before, after):
    """CPU seconds of the program, of the software GPU, and context switches of the program."""
    cpu, gpu, switches = 0.0, 0.0, 0
    for task, (name, seconds, count) in after.items():
        _, earlier_seconds, earlier_count = before.get(task, ("", 0, 0))
        if name.startswith("llvmpipe"):
            gpu += seconds - earlier_seconds
        else:
            cpu += seconds - earlier_seconds
            switches += count - earlier_count
    return cpu, gpu, switches


def counted_calls(pid, log):
    """Calls per frame, and those without futex and clock."""
    path = os.path.join(OUT, "strace")
    before = frames(log)
    tracer = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", path, "-p", str(pid)], stderr=subprocess.DEVNULL)
    time.sleep(SECONDS)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(60)
    shown = max(frames(log) - before, 1)
    calls = {name: int(count) for count, name in re.findall(r"^\s*(\d+)\s+(\w+)\s*$", read(path), re.MULTILINE) if name != "total"}
    others = sum(count for name, count in calls.items() if name != "futex" and name not in CLOCKS)
    return sum(calls.values()) / shown, others / shown, calls


def cost_beside(compositor, environment, log, where, count):
    """Milliseconds of CPU per frame, those of a software GPU with them, of one surface that changes and `count` that do not."""
    with open(log, "wb") as output:
        client = subprocess.Popen([*MANY, str(count), where], env=environment, stdin=subprocess.DEVNULL, stdout=output)
    try:
        until(lambda: frames(log) > 5, f"frames with {count} surfaces {where}", 300)
        before, shown = threads(compositor.pid), frames(log)
        time.sleep(SECONDS)
        cpu, gpu, _ = difference(before, threads(compositor.pid))
        return 1000 * (cpu + gpu) / max(frames(log) - shown, 1)
    finally:
        client.terminate()
        client.wait(20)


def measure(name):
    runtime = tempfile.mkdtemp(prefix="bench-")
    environment = dict(os.environ, XDG_RUNTIME_DIR=runtime, WLR_RENDERER="pixman", WLR_LIBINPUT_NO_DEVICES="1", LIBSEAT_BACKEND="seatd")
    environment.pop("WAYLAND_DISPLAY", None)
    log = os.path.join(OUT, f"{name}-client.log")
    processes = []
    try:
        with open(os.path.join(OUT, f"{name}.log"), "wb") as output:
            start = time.monotonic()
            compositor = subprocess.Popen(COMPOSITORS[name], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        processes.append(compositor)

        def socket():
            if compositor.poll() is not None:
                raise RuntimeError(f"{name} ended with {compositor.returncode}:\n{read(os.path.join(OUT, name + '.log'))[-1500:]}")
            return [path for path in glob.glob(f"{runtime}/wayland-*") if not path.endswith(".lock")]

        environment["WAYLAND_DISPLAY"] = os.path.basename(until(socket, f"{name}'s socket")[0])
        result = {"socket_s": time.monotonic() - start}
        with open(log, "wb") as output:
            client = subprocess.Popen(CLIENT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        processes.insert(0, client)
        until(lambda: frames(log) > 0, f"a frame of {name}'s client")
        result["first_frame_s"] = time.monotonic() - start
        time.sleep(2)  # what only the start costs
        before, shown = threads(compositor.pid), frames(log)
        time.sleep(SECONDS)
        cpu, gpu, switches = difference(before, threads(compositor.pid))
        shown = max(frames(log) - shown, 1)
        result |= {"frames": shown, "cpu_ms": 1000 * cpu / shown, "gpu_ms": 1000 * gpu / shown, "switches": switches / shown}
        result["calls"], result["other_calls"], result["by_call"] = counted_calls(compositor.pid, log)
        client.send_signal(signal.SIGSTOP)
        time.sleep(1)
        before = threads(compositor.pid)
        time.sleep(SECONDS)
        result["idle_wakeups"] = difference(before, threads(compositor.pid))[2] / SECONDS
        client.send_signal(signal.SIGCONT)
        result["peak_mb"] = int(re.search(r"VmHWM:\s+(\d+)", read(f"/proc/{compositor.pid}/status")).group(1)) / 1024
        client.terminate()
        for where, count in STILL_SURFACES:
            result[f"{where}_{count}"] = cost_beside(compositor, environment, log, where, count)
        return result
    finally:
        for process in processes:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(runtime, ignore_errors=True)


def cell(results, key):
    values = [result[key] for result in results]
    middle = statistics.median(values)
    digits = 2 if middle < 10 else 1 if middle < 100 else 0
    return f"{middle:.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", metavar="ROUNDS", nargs="?", type=int, default=3, help="at least 1 (default: 3)")
    rounds = parser.parse_args().rounds
    if rounds < 1:
        parser.error(f"{rounds} rounds measure nothing")
    results = {name: [] for name in COMPOSITORS}
    for number in range(rounds):
        for name in COMPOSITORS:
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            try:
                results[name].append(measure(name))
            except (RuntimeError, TimeoutError) as error:
                print(f"{name}: {error}", file=sys.stderr, flush=True)
    with open(os.path.join(OUT, "compositors.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    table = [["", *COMPOSITORS]]
    table += [[title, *(cell(results[name], key) if results[name] else "-" for name in COMPOSITORS)] for key, title in COLUMNS]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)))
    return 0 if all(len(results[name]) == rounds for name in COMPOSITORS) else 1


if __name__ == "__main__":
    sys.exit(main())
