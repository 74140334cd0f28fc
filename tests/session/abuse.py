#!/usr/bin/env python3
"""Clients that destroy objects in the wrong order, in the guest. Each pair of "destroy A" and "use B" over everything that a client can
have; the compositor answers with the protocol's error, or goes on. Sanitized, a use of freed memory is a failure by itself."""

import collections
import contextlib
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
import wire  # noqa: E402
import wire_scene  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]

AT_ONCE = 12  # requests of which the answer is awaited together

# What has to be answered: after A was destroyed, to the request of B; None: nothing.
EXPECTED = {
    ("window-surface", None, None): ("wl_surface", "defunct_role_object"),
    ("window-xdg", None, None): ("xdg_surface", "defunct_role_object"),
    ("popup", None, None): ("xdg_wm_base", "not_the_topmost_popup"),
    ("window", None, None): ("zxdg_toplevel_decoration_v1", "orphaned"),
    ("decoration", None, None): None,
    ("nested-popup", None, None): None,
    ("subsurface", None, None): None,
    ("sub-surface", None, None): ("wl_surface", "defunct_role_object"),
    ("dialog", "bare-xdg", "get_popup"): ("xdg_wm_base", "invalid_popup_parent"),
    ("nested-popup", "bare-xdg", "get_popup"): ("xdg_wm_base", "invalid_popup_parent"),
    ("dialog", "dialog-xdg", "get_toplevel"): ("xdg_surface", "unconfigured_buffer"),  # its buffer is still attached
    ("hidden-popup-xdg", None, None): ("xdg_surface", "defunct_role_object"),
    ("dmabuf-buffer", "window-surface", "commit"): None,
    ("sync", "synced-surface", "commit"): None,
    ("timeline", "synced-surface", "commit"): None,
    ("plain-surface", "colors", "set_alpha_mode"): ("wp_color_representation_surface_v1", "alpha_mode"),
}


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


class Walk:
    """All uses after one destruction. An error ends a connection: the rest goes on in another one. `fatal` has the requests that end a
    connection in any case; each of them is made once, and then where EXPECTED asks for it."""

    def __init__(self, memory, destroyed, answers, fatal):
        self.memory, self.destroyed, self.answers, self.fatal = memory, destroyed, answers, fatal
        self.scene = None

    def begin(self):
        """A scene without the object; the error where its destruction is one."""
        if self.scene is not None:
            self.scene.connection.close()
        self.scene = wire_scene.Scene(self.memory)
        target = self.scene[self.destroyed]
        self.scene.connection.send(target, target.destructor())
        return self.ask()

    def ask(self):
        return answer(self.scene.connection)

    def use(self, pairs):
        """Makes these requests, and commits each surface. The error that came of it, or None."""
        made = []
        try:
            for name, message in pairs:
                if self.scene.use(self.scene[name], message, near=self.destroyed.split("-")[0]):
                    made.append((name, message.name))
            for other, surface in self.scene.objects.items():
                roleless = other == "bare-surface" and all(name != "bare-xdg" for name, _ in made)
                if surface.interface.name == "wl_surface" and surface.alive and not roleless:
                    surface.commit()
            error = self.ask()
        except wire.ProtocolError as met:  # before all was sent
            error = (met.interface, met.code)
        if error is None or len(pairs) == 1:
            self.answers.update({(self.destroyed, *key): error for key in made})
        return error

    def run(self):
        self.answers[self.destroyed, None, None] = error = self.begin()
        if error:
            return
        pairs = [(name, message) for name, target in self.scene.objects.items() if name != self.destroyed
                 for message in target.requests()
                 if (name, message.name) not in self.fatal or (self.destroyed, name, message.name) in EXPECTED]
        for first in range(0, len(pairs), AT_ONCE):
            chunk = pairs[first : first + AT_ONCE]
            if self.use(chunk) is None:
                continue
            self.begin()
            for pair in chunk:  # which of them was it?
                if self.use([pair]):
                    self.fatal.add((pair[0], pair[1].name))
                    self.begin()


NO_MEMORY = ("wl_display", 2)


def answer(connection):
    """The error that ends a connection, or None."""
    try:
        connection.roundtrip()
    except wire.ProtocolError as error:
        return (error.interface, error.code)
    return None


def open_files(session):
    """How many of each kind the compositor has open."""
    folder, kinds = f"/proc/{session.compositor.process.pid}/fd", collections.Counter()
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            kinds[os.readlink(os.path.join(folder, fd)).split(":")[0]] += 1
    return kinds


@contextlib.contextmanager
def wire_session(**how):
    with s.Session(**how) as session:
        os.environ["WAYLAND_DISPLAY"] = session.environment["WAYLAND_DISPLAY"]
        yield session


def fill(connection, make, most):
    """Makes one more than a client may have; the error, once it comes."""
    for count in range(most + 1):
        make()
        if count % 64 == 0 and (error := answer(connection)):
            return error
    return answer(connection)


@on("full")
def a_client_that_keeps_too_much_is_ended_and_nobody_else():
    memory = wire_scene.Memory()

    def params(connection):
        made = connection.dmabuf.create_params()
        for plane in range(4):
            made.add(memory.dmabuf, plane, 0, wire_scene.STRIDE, 0, 0)

    def held_commit(connection):
        connection.child.commit()

    def nested_popup(connection):
        surface = connection.compositor.create_surface()
        shell = connection.wm.get_xdg_surface(surface)
        shell.get_popup(connection.last, connection.positioner)
        connection.last = shell

    cases = {"params": (params, 256 // 4), "surfaces": (lambda c: c.compositor.create_surface(), 4096), "waiting commits": (held_commit, 256),
             "popups": (nested_popup, 64), "callbacks": (lambda c: c.child.frame(), 16384)}
    with wire_session(within=("prlimit", "--nofile=512:1024")) as session:
        session.screenshot()  # all that the compositor opens for itself is open
        before = open_files(session)
        for name, (make, most) in cases.items():
            connection = wire.Connection()
            connection.dmabuf, connection.compositor = connection.bind("zwp_linux_dmabuf_v1", 3), connection.bind("wl_compositor")
            connection.wm, sub = connection.bind("xdg_wm_base"), connection.bind("wl_subcompositor")
            connection.positioner = connection.wm.create_positioner()
            connection.positioner.set_size(1, 1)
            connection.positioner.set_anchor_rect(0, 0, 1, 1)
            parent = connection.compositor.create_surface()
            connection.last = connection.wm.get_xdg_surface(parent)
            connection.last.get_toplevel()
            connection.child = connection.compositor.create_surface()
            sub.get_subsurface(connection.child, parent)
            testing.equal(answer(connection), None, "what a modest client gets")
            testing.equal(fill(connection, lambda: make(connection), most), NO_MEMORY, f"what a client with too many {name} gets")
            connection.close()
            other = wire.Connection()  # who comes next is served
            testing.equal(answer(other), None, "what the next client gets")
            other.close()
        try:
            s.wait_until(lambda: open_files(session) <= before, "the compositor to close what it kept for them")
        except TimeoutError:
            raise AssertionError(f"the compositor keeps {open_files(session) - before} more files than before") from None
        testing.equal(session.compositor.log().count("its quota is used up"), len(cases), "lines that say so")


@on("full")
def pixels_that_no_output_could_show_are_the_clients_error():
    with wire_session() as session:
        connection = wire.Connection()
        side = 16384
        pool_fd = os.memfd_create("huge")
        os.ftruncate(pool_fd, side * side * 4)  # sparse
        pool = connection.bind("wl_shm").create_pool(pool_fd, side * side * 4 - 4096)
        surface = connection.bind("wl_compositor").create_surface()
        surface.attach(pool.create_buffer(0, side, side - 1, side * 4, 1), 0, 0)
        surface.commit()
        testing.equal(answer(connection), NO_MEMORY, "what the client gets")
        session.screenshot()


@on("full")
def no_dmabuf_is_kept_that_is_none_and_the_log_stays_short():
    memory = wire_scene.Memory()
    with wire_session() as session:
        connection, before = wire.Connection(), open_files(session)
        dmabuf = connection.bind("zwp_linux_dmabuf_v1", 3)
        for _ in range(200):
            params = dmabuf.create_params()
            params.add(memory.pool, 0, 0, wire_scene.STRIDE, 0, 0)
            params.create(wire_scene.WIDTH, wire_scene.HEIGHT, wire_scene.XRGB8888, 0)
        testing.equal(answer(connection), None, "what the client gets")
        if kept := (open_files(session) - before).total():
            raise AssertionError(f"{kept} files are kept that are no dma-bufs")
        lines = session.compositor.log().count("NotADmabuf")
        if not 10 <= lines <= 40:
            raise AssertionError(f"{lines} lines in the log for 200 errors of one client")


@on("full")
def children_have_the_limit_of_open_files_that_the_session_was_started_with():
    told = os.path.join(s.OUT, "limits")
    with s.Session(within=("prlimit", "--nofile=512:2048"), arguments=("--startup", f"ulimit -S -n >{told}.new; mv {told}.new {told}")) as session:
        s.wait_until(lambda: os.path.exists(told), "the child")
        with open(told, encoding="ascii") as file:
            testing.equal(file.read().strip(), "512", "the child's limit")
        with open(f"/proc/{session.compositor.process.pid}/limits", encoding="ascii") as file:
            limit = next(line for line in file if line.startswith("Max open files")).split()
        testing.equal(limit[3:5], ["2048", "2048"], "the compositor's limits")


@on("full")
def whatever_a_client_destroys_first_it_gets_the_protocols_answer():
    with wire_session() as session, contextlib.closing(uinput.Mouse()), contextlib.closing(uinput.Keyboard()):
        s.wait_until(lambda: session.input_devices() == 2, "mouse and keyboard to be opened")
        memory, answers, fatal = wire_scene.Memory(), {}, set()
        scene = wire_scene.Scene(memory)
        names = list(scene.objects)
        for name in (name for name in names if scene[name].destructor() is not None):
            try:
                Walk(memory, name, answers, fatal).run()
            except (wire.Gone, ConnectionError, TimeoutError) as error:
                last = list(answers)[-1]
                raise AssertionError(f"after {name} was destroyed, and {last} was the last that was answered: {error!r}\n"
                                     f"{session.compositor.log()[-2000:]}") from None
        print(f"# {len(answers)} pairs of {len(names)} objects, {sum(1 for answer in answers.values() if answer)} answered with an error",
              flush=True)
        wrong = []
        for key, expected in EXPECTED.items():
            wanted = (expected[0], wire.INTERFACES[expected[0]].errors[expected[1]]) if expected else None
            if key not in answers or answers[key] != wanted:
                wrong.append(f"{key}: {answers.get(key, 'not asked')} instead of {wanted}")
        if wrong:
            raise AssertionError("; ".join(wrong))
        session.screenshot()


if __name__ == "__main__":
    testing.main(sys.argv[1:])
