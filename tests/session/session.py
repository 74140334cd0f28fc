"""A Vitrine session in the virtual platform, as a test sees it: the compositor, its clients, the panel, and what was counted.

Runs in the guest, as root (the panel camera is root's alone).
"""

import contextlib
import errno
import json
import os
import signal
import struct
import subprocess
import time

import numpy as np
from PIL import Image

import call_counter

OUT = os.environ.get("OUT", "/tmp")
BUILD = os.environ.get("VITRINE_BUILD", "/vitrine/build/platform")
CAMERA = "/dev/panel-camera{}"  # by the number of the CRTC
DESKTOP = (0x29, 0x2B, 0x33)  # the default background of compositor/output/output.h
PLACEHOLDER = {(0x26, 0x26, 0x2B), (0x34, 0x34, 0x3C)}  # protected-path/render/placeholder.h


def wait_until(predicate, what, seconds=30):
    """The first true answer of `predicate`; an error that names `what` where there is none in time. One look counts for 2 s at most: in
    longer ones the whole machine may have stood still, and nobody else has had that time either."""
    left, last = seconds, time.monotonic()
    while True:
        answer = predicate()
        if answer:
            return answer
        if left <= 0:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
        now = time.monotonic()
        left, last = left - min(now - last, 2), now


def read_camera(number=0):
    """Its file; None where the display had no time to make a picture within the camera's patience."""
    data = bytearray()
    try:
        with open(CAMERA.format(number), "rb", buffering=0) as camera:
            while chunk := camera.read(1 << 22):
                data += chunk
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return None
    return data


def photograph(number=0):
    """What the panel of a CRTC shows now: an array of height x width x 3 bytes (red, green, blue)."""
    data = wait_until(lambda: read_camera(number), "a picture of the panel", 120)
    magic, header, _format, width, height, stride, _ = struct.unpack_from("<8s6I", data)
    assert magic == b"VITRCAM1", magic
    lines = np.frombuffer(data, np.uint8, height * stride, header).reshape(height, stride)
    return lines[:, : width * 4].reshape(height, width, 4)[:, :, 2::-1].copy()


def save_png(name, picture):
    path = os.path.join(OUT, name)
    Image.fromarray(picture).save(path)
    return path


class Client:
    """A program in the session; its output goes to files in OUT. `stdin`: subprocess.PIPE for one that takes orders there."""

    def __init__(self, name, command, environment, stdin=subprocess.DEVNULL):
        self.name = name
        self.log_path = os.path.join(OUT, f"{name}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log, env=environment)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=60):
        """Its status. It is killed where it does not end in time, so that nothing is left for the next test."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def stop(self, number=signal.SIGTERM):
        if self.running():
            self.process.send_signal(number)
        return self.wait()


class Session:
    """Starts `vitrine`; `with Session() as session:` stops it again and fails where it did not end well. `within`: a command that
    executes the command after it, in another environment. Vulkan's validation layer looks on, and a session in which it speaks has not
    ended well; `validated=False` where a test counts what the compositor itself does. A sanitized session goes
    without the layer, which would crawl. `kiosk`: the command of its one client. `orders`: as fail(), from the start on."""

    def __init__(self, config="", arguments=(), counted=True, name="vitrine", within=(), validated=True, kiosk=(), orders=None):
        self.clients = []
        self.lit = False
        self.status_path = os.path.join(OUT, f"{name}-status.json")
        self.environment = dict(os.environ)
        if os.path.exists(self.status_path):
            os.remove(self.status_path)
        command = [*within, "vitrine", "--status", self.status_path, *arguments]
        if validated and not BUILD.endswith("asan"):
            config += "\n[vulkan]\nvalidation = true\n"
        if config:
            path = os.path.join(OUT, f"{name}.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)
            command += ["--config", path]
        command += kiosk
        self.counter_path = f"/tmp/{name}-calls"
        environment = call_counter.environment(self.counter_path) if counted else dict(os.environ)
        for what, count in (orders or {}).items():
            self.fail(what, count)
        self.compositor = Client(name, command, environment)
        try:
            self.environment["WAYLAND_DISPLAY"] = wait_until(self._socket, "the compositor's socket")
        except BaseException:
            self.compositor.stop(signal.SIGKILL)
            raise

    def _still_running(self):
        if not self.compositor.running():
            raise RuntimeError(f"vitrine ended with {self.compositor.process.returncode}:\n{self.compositor.log()[-3000:]}")

    def _socket(self):
        self._still_running()
        for line in self.compositor.log().splitlines():
            if "WAYLAND_DISPLAY=" in line:
                return line.split("WAYLAND_DISPLAY=")[1].strip()
        return None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for client in self.clients:
            if client.running():
                client.stop(signal.SIGKILL)
        status = self.compositor.stop()
        if kind is None and status != 0:
            raise AssertionError(f"vitrine ended with status {status}:\n{self.compositor.log()[-3000:]}")
        if kind is None and "validation: " in self.compositor.log():
            spoken = [line for line in self.compositor.log().splitlines() if "validation: " in line]
            raise AssertionError(f"the validation layer spoke {len(spoken)} times, first: {spoken[0][:600]}")

    def start(self, name, *command, counted=False, stdin=subprocess.DEVNULL):
        environment = dict(self.environment)
        if counted:
            environment |= call_counter.variables(f"/tmp/{name}-calls")
        client = Client(name, command, environment, stdin)
        self.clients.append(client)
        return client

    def play(self, clip, *arguments, name="player"):
        """vitrine-play, with its statistics in OUT/NAME.json."""
        report = os.path.join(OUT, f"{name}.json")
        client = self.start(name, "vitrine-play", clip, "--json", report, *arguments, counted=True)
        client.report = lambda: json.load(open(report, encoding="utf-8"))
        return client

    def screenshot(self, name="screenshot.png", cursor=True):
        """With the pointer, as the panel shows it; or without, as a user takes it."""
        path = os.path.join(OUT, name)
        if not self.lit:  # a capture of an output that is still off fails
            wait_until(lambda: any(output["on"] for output in self.status()["outputs"]), "an output to be lit")
            self.lit = True
        subprocess.run(["grim", *(["-c"] if cursor else []), path], env=self.environment, check=True, timeout=60)
        return np.asarray(Image.open(path).convert("RGB"))

    def status(self):
        """The compositor's own report, as of now. The last one goes first: two within a tick of the clock have the same time."""
        if os.path.exists(self.status_path):
            os.remove(self.status_path)
        self.compositor.process.send_signal(signal.SIGUSR1)

        def written():
            self._still_running()
            return os.path.exists(self.status_path)

        wait_until(written, "status report")
        with open(self.status_path, encoding="utf-8") as file:
            return json.load(file)

    @property
    def control_socket(self):
        return os.path.join(os.environ["XDG_RUNTIME_DIR"], f"vitrine-{self.environment['WAYLAND_DISPLAY']}.sock")

    def control(self, *arguments):
        """What vitrinectl says."""
        done = subprocess.run(["vitrinectl", "--socket", self.control_socket, *arguments], check=False, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            self._still_running()
            raise RuntimeError(f"vitrinectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def windows(self):
        """Those that are mapped, the last focused one at the end, as vitrinectl lists them."""
        return json.loads(self.control("--json", "windows"))

    def input_devices(self):
        """How many the compositor has open."""
        directory = f"/proc/{self.compositor.process.pid}/fd"
        count = 0
        for fd in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(os.path.join(directory, fd)).startswith("/dev/input/event")
        return count

    def calls(self):
        """What the interposed calls of the compositor amount to so far."""
        return call_counter.read(self.counter_path)

    def fail(self, what, count):
        """Lets the compositor's next atomic requests fail with ENOMEM ("commits_to_fail", "tests_to_fail", "modesets_to_fail", "frames_to_fail"), or
        connectors say of themselves what they are not ("bad_links", "headsets")."""
        call_counter.order(self.counter_path, what, count)

    def player_calls(self, name="player"):
        return call_counter.read(f"/tmp/{name}-calls")

    def output(self):
        return self.status()["outputs"][0]

    def wait_for_frames(self, count, seconds=60):
        """Until `count` more frames were presented."""
        wanted = self.output()["frames_presented"] + count
        wait_until(lambda: self.output()["frames_presented"] >= wanted, f"{count} frames", seconds)


def video_on_panel(session, clip, *arguments):
    """vitrine-play with this clip, once some frames of it are on the panel."""
    player = session.play(clip, "--loop", *arguments)
    wait_until(lambda: session.output()["protected_surfaces"] or not player.running(), "the first protected frame")
    if not player.running():
        raise AssertionError(f"vitrine-play ended with {player.process.returncode}: {player.log()}")
    session.wait_for_frames(5)
    return player


def find_box(panel, screenshot):
    """The box x, y, width, height in which a panel and a screenshot differ: where protected content is."""
    rows, columns = np.nonzero(np.any(panel != screenshot, axis=2))
    if rows.size == 0:
        return None
    return (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def crop(picture, box):
    x, y, width, height = box
    return picture[y : y + height, x : x + width]


def only_placeholder(picture):
    """Whether every pixel is one of the placeholder's two colours."""
    return {tuple(int(c) for c in pixel) for pixel in np.unique(picture.reshape(-1, 3), axis=0)} <= PLACEHOLDER


def make_clip(size="640x360", fps=30, frames=60, name="clip", encoding="bt709", limited=True):
    path = f"/tmp/{name}.vclip"
    subprocess.run(["vitrine-pack", "--test-pattern", f"{size}@{fps}:{frames}", "--encoding", encoding,
                    "--range", "limited" if limited else "full", "-o", path], check=True, capture_output=True, timeout=120)
    return path
