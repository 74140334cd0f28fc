#!/usr/bin/env python3
"""What the compositor offers besides windows and buffers, in the guest: each protocol by a client that speaks it (wayland.py)."""

import contextlib
import os
import socket
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import lit_session  # noqa: E402

# What a sandboxed client must not see, whatever else is added: it reads, controls or imitates what is not its own.
PRIVILEGED = {"wp_security_context_manager_v1", "zwlr_screencopy_manager_v1", "zwlr_data_control_manager_v1"}


class Sandbox:
    """A security context: a socket whose clients are sandboxed, for as long as it is open."""

    def __init__(self, client, app_id="org.vitrine.sandboxed", engine="org.vitrine.sandbox"):
        self.path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "sandbox")
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen()
        theirs, self.ours = socket.socketpair()
        self.context = client.bind("wp_security_context_manager_v1").create_listener(listener.fileno(), theirs.fileno())
        self.context.set_sandbox_engine(engine)
        self.context.set_app_id(app_id)
        self.context.set_instance_id("1")
        self.context.commit()
        client.roundtrip()
        listener.close()
        theirs.close()

    def client(self):
        return wayland.Client({"XDG_RUNTIME_DIR": os.path.dirname(self.path), "WAYLAND_DISPLAY": os.path.basename(self.path)})


@testing.test
def a_sandboxed_client_sees_nothing_that_is_privileged():
    with lit_session() as session:
        ordinary = wayland.Client(session.environment)
        testing.equal(PRIVILEGED - set(ordinary.globals), set(), "privileged globals that an ordinary client lacks")
        sandboxed = Sandbox(ordinary).client()
        testing.equal(PRIVILEGED & set(sandboxed.globals), set(), "privileged globals that a sandboxed client sees")
        wayland.Window(sandboxed)  # and it can do its work
        number = next(event.name_ for event in ordinary.registry.events if event.interface == "zwlr_screencopy_manager_v1")
        guess = lambda: sandboxed.registry.bind(number, wayland.INTERFACES["zwlr_screencopy_manager_v1"], 1)  # noqa: E731
        testing.equal(sandboxed.error_of(guess), ("wl_registry", "invalid_object"), "error of a guessed global")
        if 'security.context engine="org.vitrine.sandbox" app="org.vitrine.sandboxed" instance="1"' not in session.compositor.log():
            raise AssertionError("the audit log does not have the security context")


@testing.test
def the_configuration_changes_what_a_sandboxed_client_sees():
    config = '[security]\nsandbox_allow = ["zwlr_screencopy_manager_v1"]\nsandbox_deny = ["wl_data_device_manager"]\n'
    with lit_session(config) as session:
        ordinary = wayland.Client(session.environment)
        sandboxed = Sandbox(ordinary).client()
        hidden = set(ordinary.globals) - set(sandboxed.globals)
        testing.equal("zwlr_screencopy_manager_v1" in hidden, False, "whether what is allowed is hidden")
        testing.equal("wl_data_device_manager" in hidden, True, "whether what is denied is hidden")
        testing.equal("wl_data_device_manager" in ordinary.globals, True, "whether an ordinary client sees what is denied")


@testing.test
def every_global_has_a_policy():
    listed = dict(line.split()[:2] for line in subprocess.check_output(["vitrine", "--list-protocols"], text=True).splitlines())
    with lit_session() as session:
        offered = set(wayland.Client(session.environment).globals)
        testing.equal(offered - set(listed), set(), "globals without a policy")
        sandboxed = set(Sandbox(wayland.Client(session.environment)).client().globals)
        allowed = {name for name, access in listed.items() if access == "everybody"}
        testing.equal(sandboxed, offered & allowed, "what a sandboxed client sees")


@testing.test
def data_control_sets_and_sees_the_clipboard():
    with lit_session() as session:
        tool, client = wayland.Client(session.environment), wayland.Client(session.environment)
        source = tool.bind("zwlr_data_control_manager_v1").create_data_source()
        source.offer("text/plain")
        tool.bind("zwlr_data_control_manager_v1").get_data_device(tool.bind("wl_seat")).set_selection(source)
        tool.roundtrip()
        device = client.bind("wl_data_device_manager").get_data_device(client.bind("wl_seat"))
        wayland.Window(client)
        offer = client.expect(device, "selection").id
        ours, theirs = os.pipe()
        offer.receive("text/plain", theirs)
        os.close(theirs)
        client.roundtrip()
        fd = tool.expect(source, "send").fd
        os.write(fd, b"copied")
        os.close(fd)
        testing.equal(os.read(ours, 100), b"copied", "what is pasted")


@testing.test
def clients_draw_their_decorations_and_kde_is_told_so():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        manager = client.bind("org_kde_kwin_server_decoration_manager")
        testing.equal(client.expect(manager, "default_mode").mode, 1, "default mode")
        window = wayland.Window(client)
        decoration = manager.create(window.surface)
        testing.equal(client.expect(decoration, "mode").mode, 1, "mode")


@testing.test
def a_half_transparent_surface_shows_what_is_below():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=(0xFF, 0xFF, 0xFF))
        modifier = client.bind("wp_alpha_modifier_v1").get_surface(window.surface)
        modifier.set_multiplier(1 << 31)
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        expected = [(0xFF + part) / 2 for part in s.DESKTOP]

        def blended():
            panel = s.photograph()
            middle = panel[panel.shape[0] // 2, panel.shape[1] // 2]
            return all(abs(int(got) - want) <= 2 for got, want in zip(middle, expected))

        s.wait_until(blended, "the blended window", 60)


if __name__ == "__main__":
    testing.main(sys.argv[1:])
