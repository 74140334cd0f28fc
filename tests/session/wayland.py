"""A Wayland client of a few lines: it speaks every protocol whose XML is here, so that a test can send any request, right or wrong.

    client = wayland.Client(session.environment)
    surface = client.bind("wl_compositor").create_surface()
    layer = client.bind("zwlr_layer_shell_v1").get_layer_surface(surface, None, "top", "test")
    layer.set_anchor("top|left|right")
    surface.commit()
    configure = client.expect(layer, "configure")

Requests are methods, new objects are their results, enum values are names joined by `|`. Events are kept per object until a test
expects them. A protocol error raises ProtocolError.
"""

import array
import atexit
import glob
import json
import mmap
import os
import select
import socket
import struct
import time
import xml.etree.ElementTree

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
XML = ("/usr/share/wayland/wayland.xml", "/usr/share/wayland-protocols/stable/*/*.xml",
       "/usr/share/wayland-protocols/staging/*/*.xml", "/usr/share/wayland-protocols/unstable/*/*.xml",
       f"{REPOSITORY}/compositor/protocols/xml/*.xml", f"{REPOSITORY}/tests/clients/xml/*.xml")
PATIENCE = 60  # seconds


class ProtocolError(Exception):
    """The compositor's wl_display.error: `name` is the entry of the interface's enum `error`, where it has one."""

    def __init__(self, interface, code, name, message):
        super().__init__(f"{interface} error {code} ({name}): {message}")
        self.interface, self.code, self.name, self.message = interface, code, name, message


class Disconnected(Exception):
    """The compositor closed the connection without an error."""


class Message:
    def __init__(self, element):
        self.name = element.get("name")
        self.since = int(element.get("since", 1))
        self.arguments = [dict(argument.attrib) for argument in element.findall("arg")]
        self.destroys = element.get("type") == "destructor"


class Interface:
    def __init__(self, element):
        self.name = element.get("name")
        self.version = int(element.get("version"))
        self.requests = [Message(request) for request in element.findall("request")]
        self.events = [Message(event) for event in element.findall("event")]
        self.enums = {enum.get("name"): {entry.get("name"): int(entry.get("value"), 0) for entry in enum.findall("entry")}
                      for enum in element.findall("enum")}


def load():
    """Every interface by its name. Of two XML files with the same interface, the one with the newer version counts."""
    interfaces = {}
    for path in (path for pattern in XML for path in sorted(glob.glob(pattern))):
        for element in xml.etree.ElementTree.parse(path).getroot().findall("interface"):
            interface = Interface(element)
            known = interfaces.get(interface.name)
            if known is None or known.version < interface.version:
                interfaces[interface.name] = interface
    return interfaces


INTERFACES = load()


class Event:
    def __init__(self, name, arguments):
        self.name = name
        self.__dict__.update(arguments)
        self.arguments = arguments

    def __repr__(self):
        return f"{self.name}{self.arguments}"


class Object:
    """One protocol object. `events`: those that came and were not expected yet."""

    def __init__(self, client, interface, version, number):
        self.client, self.interface, self.version, self.number = client, interface, version, number
        self.events = []
        client.objects[number] = self

    def __getattr__(self, name):
        for opcode, request in enumerate(self.interface.requests):
            if request.name == name.rstrip("_"):  # `import_`: Python has words of its own
                return lambda *arguments: self.client.send(self, opcode, request, arguments)
        raise AttributeError(f"{self.interface.name} has no request {name}")

    def __repr__(self):
        return f"{self.interface.name}#{self.number}"


class Client:
    """One connection."""

    sent = set()  # (interface, request): of all clients of this process
    offered = {}  # interface: version; what all compositors of this process advertised

    def __init__(self, environment=os.environ, fd=None):
        if fd is None:
            path = os.path.join(environment["XDG_RUNTIME_DIR"], environment["WAYLAND_DISPLAY"])
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(path)
        else:
            self.socket = socket.socket(fileno=fd)
        self.objects, self.next, self.unread, self.fds = {}, 2, b"", []
        self.out, self.out_fds = b"", []
        self.display = Object(self, INTERFACES["wl_display"], 1, 1)
        self.registry = self.display.get_registry()
        self.roundtrip()
        Client.offered |= self.globals

    # Globals

    @property
    def globals(self):
        """Every advertised interface and its version."""
        return {event.interface: event.version for event in self.registry.events if event.name == "global"}

    def bind(self, name, version=None, index=0):
        """The global of this interface, in the newest version that both sides know."""
        found = [event for event in self.registry.events if event.name == "global" and event.interface == name]
        if len(found) <= index:
            raise LookupError(f"the compositor does not offer {name}; it offers {sorted(self.globals)}")
        version = version or min(found[index].version, INTERFACES[name].version)
        return self.registry.bind(found[index].name_, INTERFACES[name], version)

    # Wire

    def send(self, target, opcode, request, arguments):
        Client.sent.add((target.interface.name, request.name))
        body, created, given = b"", None, list(arguments)
        for argument in request.arguments:
            kind = argument["type"]
            if kind == "new_id":
                if "interface" in argument:
                    interface, version = INTERFACES[argument["interface"]], target.version
                else:
                    interface, version = given.pop(0), given.pop(0)
                    body += string(interface.name) + struct.pack("=I", version)
                created = Object(self, interface, version, self.next)
                self.next += 1
                body += struct.pack("=I", created.number)
            elif kind == "fd":
                self.out_fds.append(os.dup(given.pop(0)))
            else:
                body += self.pack(target.interface, argument, given.pop(0))
        if given:
            raise TypeError(f"{target}.{request.name}: {len(given)} arguments too many")
        self.out += struct.pack("=IHH", target.number, opcode, len(body) + 8) + body
        if self.out_fds or len(self.out) > 3000:
            self.flush()
        return created

    def pack(self, interface, argument, value):
        kind = argument["type"]
        if kind in ("int", "uint"):
            if isinstance(value, str):
                owner, _, enum = argument["enum"].rpartition(".")
                entries = (INTERFACES[owner] if owner else interface).enums[enum]
                value = sum(entries[name] for name in value.split("|"))
            return struct.pack("=i" if value < 0 else "=I", value)
        if kind == "fixed":
            return struct.pack("=i", round(value * 256))
        if kind == "object":
            return struct.pack("=I", value.number if value is not None else 0)
        if kind == "string":
            return string(value)
        return struct.pack("=I", len(value)) + value + b"\0" * (-len(value) % 4)

    def flush(self):
        """A compositor that hung up has perhaps said why: what it said is read, and raised, by the next dispatch()."""
        fds, self.out_fds, data, self.out = self.out_fds, [], self.out, b""
        try:
            if data:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
                done = self.socket.sendmsg([data], ancillary)
                self.socket.sendall(data[done:])
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            for fd in fds:
                os.close(fd)

    def dispatch(self, seconds):
        """Sends what is due, and takes what comes within this time."""
        self.flush()
        if not select.select([self.socket], [], [], seconds)[0]:
            return
        try:
            data, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(28 * 4))
        except ConnectionResetError:
            data, ancillary = b"", []
        for level, kind, fds in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self.fds += array.array("i", fds)
        if not data:
            raise Disconnected("the compositor closed the connection")
        self.unread += data
        while len(self.unread) >= 8:
            number, opcode, size = struct.unpack_from("=IHH", self.unread)
            if len(self.unread) < size:
                break
            body, self.unread = self.unread[8:size], self.unread[size:]
            self.take(number, opcode, body)

    def take(self, number, opcode, body):
        target = self.objects.get(number)
        if target is None:
            return
        event = target.interface.events[opcode]
        arguments, at = {}, 0
        for argument in event.arguments:
            kind, name = argument["type"], argument["name"]
            if name == "name":
                name = "name_"  # Event.name is the event's own
            if kind == "fd":
                arguments[name] = self.fds.pop(0)
                continue
            (value,) = struct.unpack_from("=i" if kind in ("int", "fixed") else "=I", body, at)
            at += 4
            if kind == "fixed":
                value /= 256
            elif kind == "new_id":
                value = Object(self, INTERFACES[argument["interface"]], target.version, value)
            elif kind == "object":
                value = self.objects.get(value)
            elif kind in ("string", "array"):
                data, at = body[at : at + value], at + value + -value % 4
                value = data[:-1].decode() if kind == "string" and value else data if kind == "array" else None
            arguments[name] = value
        self.handle(target, Event(event.name, arguments))

    def handle(self, target, event):
        if target is self.display and event.name == "error":
            interface = event.object_id.interface if event.object_id else None
            errors = interface.enums.get("error") if interface else None
            errors = errors or self.display.interface.enums["error"]  # such as wl_registry's
            name = next((entry for entry, value in errors.items() if value == event.code), "?")
            raise ProtocolError(interface.name if interface else "?", event.code, name, event.message)
        if target.interface.name == "xdg_wm_base" and event.name == "ping":
            target.pong(event.serial)
        elif target is not self.display:
            target.events.append(event)

    # What tests wait for

    def roundtrip(self):
        callback = self.display.sync()
        self.expect(callback, "done")

    def expect(self, target, name, seconds=PATIENCE, **how):
        """The next event of this name whose arguments are `how`; those before it are forgotten."""
        deadline = time.monotonic() + seconds
        while True:
            for index, event in enumerate(target.events):
                if event.name == name and all(event.arguments[key] == value for key, value in how.items()):
                    del target.events[: index + 1]
                    return event
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{target}: no {name} {how} within {seconds} s, but {target.events}")
            self.dispatch(left)

    def error_of(self, attempt):
        """The (interface, error) that `attempt` ends the connection with."""
        try:
            attempt()
            self.roundtrip()
        except ProtocolError as error:
            return error.interface, error.name
        raise AssertionError("the compositor took what it should have refused")

    def close(self):
        self.socket.close()

    # Content

    def buffer(self, width, height, colour):
        """An XRGB8888 wl_buffer of one colour: (red, green, blue)."""
        size = width * height * 4
        fd = os.memfd_create("wayland")
        os.ftruncate(fd, size)
        with mmap.mmap(fd, size) as memory:
            memory[:] = bytes((colour[2], colour[1], colour[0], 255)) * (width * height)
        pool = self.bind("wl_shm").create_pool(fd, size)
        os.close(fd)
        buffer = pool.create_buffer(0, width, height, width * 4, "xrgb8888")
        pool.destroy()
        return buffer

    def show(self, surface, width, height, colour):
        """Attaches a picture of one colour and commits."""
        surface.attach(self.buffer(width, height, colour), 0, 0)
        surface.damage(0, 0, width, height)
        surface.commit()
        self.flush()


class Window:
    """A mapped xdg toplevel of one colour that takes every size it is offered."""

    def __init__(self, client, colour=(0xC8, 0, 0), size=(300, 200), title="wire", app_id="org.vitrine.wire", parent=None):
        self.client, self.colour, self.size = client, colour, size
        self.surface = client.bind("wl_compositor").create_surface()
        self.xdg = client.bind("xdg_wm_base").get_xdg_surface(self.surface)
        self.toplevel = self.xdg.get_toplevel()
        self.toplevel.set_title(title)
        self.toplevel.set_app_id(app_id)
        if parent is not None:
            self.toplevel.set_parent(parent.toplevel)
        self.surface.commit()
        self.configure()

    def configure(self, **how):
        """Obeys the next configure; its states, by name."""
        told = self.client.expect(self.toplevel, "configure", **how)
        serial = self.client.expect(self.xdg, "configure").serial
        self.xdg.ack_configure(serial)
        self.client.show(self.surface, told.width or self.size[0], told.height or self.size[1], self.colour)
        states = INTERFACES["xdg_toplevel"].enums["state"]
        values = struct.unpack(f"={len(told.states) // 4}I", told.states)
        return [name for name, value in states.items() if value in values]

    def await_state(self, state, present=True):
        """Obeys configures until one has the state, or lacks it."""
        while (state in self.configure()) != present:
            pass


def leave_what_was_sent():
    """For tests/session/requests.py, which counts it."""
    if Client.offered and "OUT" in os.environ:
        with open(os.path.join(os.environ["OUT"], "requests.json"), "w", encoding="utf-8") as file:
            json.dump({"sent": sorted(Client.sent), "offered": Client.offered}, file)


atexit.register(leave_what_was_sent)


def string(text):
    if text is None:
        return struct.pack("=I", 0)
    data = text.encode() + b"\0"
    return struct.pack("=I", len(data)) + data + b"\0" * (-len(data) % 4)
