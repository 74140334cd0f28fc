#!/usr/bin/env python3
"""vitrinectl and the control socket of a session, in the guest."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from desk import PATIENCE, Window, hands, new_box  # noqa: E402
from hands import lit_session  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


@contextlib.contextmanager
def controlled(config=""):
    with lit_session(config) as session:
        session.environment["VITRINE_SOCKET"] = session.control_socket
        yield session


def ctl(session, *arguments, status=0):
    """What vitrinectl prints (standard output, or standard error where it fails)."""
    got = subprocess.run(["vitrinectl", *arguments], env=session.environment, capture_output=True, text=True, timeout=60, check=False)
    testing.equal(got.returncode, status, f"status of vitrinectl {' '.join(arguments)}: {got.stderr}")
    return got.stdout if status == 0 else got.stderr


def asked(session, what):
    return json.loads(ctl(session, "--json", what))


def connect(session):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE)
    connection.connect(session.control_socket)
    return connection


@on("full")
def it_says_which_path_each_surface_takes_and_why():
    with controlled() as session, hands(session):
        s.video_on_panel(session, s.make_clip())
        Window(session).expect("keyboard-enter")
        s.wait_until(lambda: all(window["surfaces"] for window in asked(session, "windows")), "both windows to be shown", PATIENCE)
        output = asked(session, "outputs")[0]
        mode = session.output()
        testing.equal((output["name"], output["on"], output["mode"]["width"], output["scale"], output["transform"]),
                      (mode["name"], True, mode["width"], 1.0, "normal"), "output")
        film, window = asked(session, "windows")
        testing.equal((film["focused"], window["focused"]), (False, True), "which window is focused")
        testing.equal((window["box"], window["output"]), (list(new_box(1)), output["name"]), "box and output of the window")
        shown = film["surfaces"][0]
        testing.equal((shown["path"], shown["refusal"], shown["output"]), ("plane", None, output["name"]), "the film's surface")
        testing.equal(shown["plane"] in output["planes"], True, f"whether its plane is among {output['planes']}")
        shown = window["surfaces"][0]
        testing.equal((shown["path"], shown["refusal"]), ("composited", "PlaneNotDmabuf"), "the window's surface")
        counters = asked(session, "counters")["outputs"][0]
        testing.equal(counters["frames_presented"] > 0 and counters["atomic_commits"] > 0, True, f"whether {counters} count")
        said = ctl(session, "windows")
        if not re.search(rf"plane {film['surfaces'][0]['plane']}\b", said) or "PlaneNotDmabuf: " not in said:
            raise AssertionError(f"vitrinectl windows does not say path and reason: {said}")


@on("full")
def what_opaque_surfaces_hide_together_takes_no_plane():
    with controlled() as session:
        s.video_on_panel(session, s.make_clip())

        def planes_of_the_film():
            (film,) = asked(session, "windows")
            return [shown["plane"] for shown in film["surfaces"] if shown["plane"]]

        s.wait_until(planes_of_the_film, "the film on a plane", PATIENCE)
        height, width = s.photograph().shape[:2]
        client = wayland.Client(session.environment)

        def cover(edge, columns):
            surface = client.bind("wl_compositor").create_surface()
            layer = client.bind("zwlr_layer_shell_v1").get_layer_surface(surface, None, "overlay", "test")
            layer.set_size(columns, 0)
            layer.set_anchor(f"top|bottom|{edge}")
            layer.set_exclusive_zone(-1)
            surface.commit()
            layer.ack_configure(client.expect(layer, "configure").serial)
            client.show(surface, columns, height, (0, 0, 0xFF))
            client.roundtrip()
            return layer

        cover("left", width // 2)
        session.wait_for_frames(2)
        (plane,) = planes_of_the_film()  # covered by half, an underlay
        other_half = cover("right", width - width // 2)
        s.wait_until(lambda: not planes_of_the_film(), "the film, hidden by both, to leave its plane", PATIENCE)
        testing.equal(plane in asked(session, "outputs")[0]["planes"], False, "whether its plane is still in use")
        other_half.destroy()
        client.roundtrip()
        s.wait_until(planes_of_the_film, "the film on a plane again", PATIENCE)


@on("full")
def actions_and_reload_come_by_the_socket():
    with controlled() as session:
        window = Window(session)
        window.wait_for_box(new_box())
        height, width = s.photograph().shape[:2]
        ctl(session, "action", "snap", "right")
        window.wait_for_box((width // 2, 0, width - width // 2, height), "the window on the right half")
        said = ctl(session, "action", "fly", status=1)
        testing.equal("read action fly: there is no such action" in said, True, f"whether {said!r} says that there is none")
        said = ctl(session, "action", "move", status=1)
        testing.equal(said, "vitrinectl: ask the session: perform move: needs the key or button that it is bound to\n", "what it says of move")
        bound = [each["bindings"] for each in asked(session, "actions") if each["name"] == "close"]
        testing.equal(bound, [[{"chord": "Logo+q", "argument": ""}]], "what is bound to close")
        ctl(session, "action", "close")
        testing.equal(window.client.wait(), 0, "status of the window that is closed")
        with open(os.path.join(s.OUT, "vitrine.toml"), "a", encoding="utf-8") as file:
            file.write("scale = 1\n")
        said = ctl(session, "reload", status=1)
        testing.equal("unknown key 'scale'" in said, True, f"whether {said!r} names the key")
        subprocess.run(["vitrinectl", "action", "run", "env > /tmp/environment"], env=session.environment, check=True, timeout=60)
        wanted = f"VITRINE_SOCKET={session.control_socket}\n"
        s.wait_until(lambda: os.path.exists("/tmp/environment") and wanted in open("/tmp/environment").read(), "the socket in a child's environment", PATIENCE)


@on("full")
def clients_that_write_rubbish_or_do_not_read_cost_no_frame():
    with controlled() as session:
        window = Window(session)
        window.wait_for_box(new_box())
        connections = [connect(session) for _ in range(8)]
        for connection in connections:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:  # until the socket takes no more: nothing is ever read from it
                    connection.send(b'{"request":"status"}\n' * 100)
        rubbish = connect(session)
        rubbish.sendall(b"\xff" * 5000)
        testing.equal(rubbish.recv(4096), b'{"ok":false,"error":"a request has at most 4096 bytes"}\n', "reply to what has no end")
        testing.equal(rubbish.recv(1), b"", "what comes after it")
        missed = session.output()["frames_missed"]
        for word in ("left", "right") * 5:
            ctl(session, "action", "snap", word)
            window.wait_for_box(tuple(asked(session, "windows")[0]["box"]), "the snapped window")
        memory = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{session.compositor.process.pid}/status").read()).group(1))
        testing.equal(session.compositor.running(), True, f"the compositor ({memory} kB, {session.output()['frames_missed'] - missed} frames missed)")
        for connection in connections:
            connection.close()


@on("full")
def watch_follows_what_changes_and_the_terminals_size():
    with controlled() as session:
        watcher = subprocess.Popen(["vitrinectl", "--json", "watch"], env=session.environment, stdout=subprocess.PIPE, text=True)
        first = json.loads(watcher.stdout.readline())
        testing.equal(first["status"]["windows"], [], "windows at first")
        Window(session)
        while not json.loads(watcher.stdout.readline())["status"]["windows"]:
            pass
        watcher.send_signal(signal.SIGINT)
        testing.equal(watcher.wait(PATIENCE), 0, "status after SIGINT")

        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 10, 60, 0, 0))
        watcher = subprocess.Popen(["vitrinectl", "watch"], env=session.environment, stdin=terminal, stdout=terminal, start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0))
        seen = ""

        def read_until(words):
            nonlocal seen
            while words not in seen:
                seen += os.read(master, 65536).decode()
            before, seen = seen.split(words, 1)
            return before

        testing.equal(read_until("\x1b[?1049h"), "", "what comes before the alternate screen")
        page = read_until("\x1b[J")
        lines = [re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", line) for line in page.replace("\r", "").split("\n")]
        testing.equal((len(lines) <= 10, max(map(len, lines)) <= 60), (True, True), f"whether {lines} fit 10 lines of 60 columns")
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 30, 200, 0, 0))
        read_until("WHY NOT A PLANE")  # did not fit before
        os.write(master, b"\x03")  # Ctrl-C
        testing.equal(watcher.wait(PATIENCE), 0, "status after Ctrl-C")
        read_until("\x1b[?25h\x1b[?1049l")


@on("full")
def what_dbus_starts_finds_a_session_of_the_start_script():
    services = "/tmp/share/dbus-1/services"
    os.makedirs(services, exist_ok=True)
    with open(f"{services}/org.vitrine.Test.service", "w", encoding="utf-8") as file:
        file.write("[D-BUS Service]\nName=org.vitrine.Test\nExec=/bin/sh -c 'vitrinectl outputs > /tmp/activated 2>&1'\n")
    environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    environment |= {"PATH": f"{s.BUILD}/configs:{os.environ['PATH']}", "XDG_DATA_HOME": "/tmp/share"}
    script = s.Client("script", ["vitrine-session"], environment)
    try:
        def activated():
            for process in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    if open(f"/proc/{process}/comm", encoding="ascii").read() != "vitrine\n":
                        continue
                    variables = dict(entry.split("=", 1) for entry in open(f"/proc/{process}/environ").read().split("\0") if "=" in entry)
                    subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.vitrine.Test", "/", "org.vitrine.Test.Nothing"], check=False, capture_output=True,  # until it has ended
                                   env=environment | {"DBUS_SESSION_BUS_ADDRESS": variables["DBUS_SESSION_BUS_ADDRESS"]}, timeout=60)
            return os.path.exists("/tmp/activated") and "eDP-1" in open("/tmp/activated", encoding="utf-8").read()

        s.wait_until(activated, "outputs that a program of D-Bus has listed", PATIENCE)
        testing.equal(subprocess.run(["vitrinectl", "--socket", next(f"{os.environ['XDG_RUNTIME_DIR']}/{name}" for name in os.listdir(os.environ["XDG_RUNTIME_DIR"])
                                                                       if name.startswith("vitrine-")), "action", "quit"], check=False).returncode, 0, "status of quit")
        testing.equal(script.wait(), 0, "status of vitrine-session")
    finally:
        if script.running():
            script.stop(signal.SIGKILL)


@on("full")
def without_a_session_it_says_so():
    environment = {name: value for name, value in os.environ.items() if name != "VITRINE_SOCKET"}
    for arguments, words in ((["windows"], "VITRINE_SOCKET is not set"), (["--socket", "/nowhere", "windows"], "connect /nowhere: ENOENT (2)")):
        got = subprocess.run(["vitrinectl", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60)
        testing.equal((got.returncode, words in got.stderr), (1, True), f"status, and whether {got.stderr!r} says {words!r}")
    with controlled() as session:
        path = session.control_socket
        testing.equal(os.stat(path).st_mode & 0o777, 0o600, "the socket's mode")
        watcher = subprocess.Popen(["vitrinectl", "--json", "watch"], env=session.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watcher.stdout.readline()
        session.compositor.stop()
        testing.equal((watcher.wait(PATIENCE), "the session has ended" in watcher.stderr.read()), (1, True), "status of watch, and what it says")
        testing.equal(os.path.exists(path), False, "the socket afterwards")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
