"""Wayland's wire format by hand: a client that can break each rule which libwayland's own client side would keep.

It learns the requests from the protocols' XML files, so that a new protocol needs nothing here."""

import array
import collections
import glob
import os
import select
import socket
import struct
import time
import xml.etree.ElementTree

XML_FILES = ("/usr/share/wayland/wayland.xml", "/usr/share/wayland-protocols/*/*/*.xml", "/vitrine/compositor/protocols/xml/*.xml",
             "/vitrine/tests/clients/xml/wlr-gamma-control-unstable-v1.xml")
PATIENCE = 120  # seconds: a sanitized compositor on a busy machine

Argument = collections.namedtuple("Argument", "name kind interface optional enum")
Message = collections.namedtuple("Message", "name opcode arguments destructor since")
Interface = collections.namedtuple("Interface", "name requests events errors")


class Gone(Exception):
    """The compositor has closed the connection without an error."""


class ProtocolError(Exception):
    """The compositor's wl_display.error."""

    def __init__(self, interface, code, message):
        super().__init__(f"{interface} error {code}: {message}")
        self.interface, self.code = interface, code


def read_interfaces():
    interfaces = {}
    for path in (path for pattern in XML_FILES for path in sorted(glob.glob(pattern))):
        for element in xml.etree.ElementTree.parse(path).getroot().iter("interface"):
            name = element.get("name")
            errors = {entry.get("name"): int(entry.get("value"), 0) for enum in element.findall("enum") if enum.get("name") == "error"
                      for entry in enum.findall("entry")}
            messages = (tuple(read_messages(element.findall(kind))) for kind in ("request", "event"))
            interfaces.setdefault(name, Interface(name, *messages, errors))  # stable before unstable: the names are the same
    return interfaces


def read_messages(elements):
    for opcode, element in enumerate(elements):
        arguments = tuple(Argument(a.get("name"), a.get("type"), a.get("interface"), a.get("allow-null") == "true", a.get("enum"))
                          for a in element.findall("arg"))
        yield Message(element.get("name"), opcode, arguments, element.get("type") == "destructor", int(element.get("since", "1")))


INTERFACES = read_interfaces()


class Object:
    def __init__(self, connection, number, interface, version):
        self.connection, self.number, self.interface, self.version = connection, number, INTERFACES[interface], version
        self.alive = True

    def __repr__(self):
        return f"{self.interface.name}#{self.number}"

    def requests(self):
        """Those of its version, but for destructors."""
        return [message for message in self.interface.requests if message.since <= self.version and not message.destructor]

    def destructor(self):
        return next((message for message in self.interface.requests if message.destructor and message.since <= self.version), None)

    def __getattr__(self, name):
        for message in self.interface.requests:
            if message.name == name.rstrip("_"):
                return lambda *arguments: self.connection.send(self, message, *arguments)
        raise AttributeError(f"{self.interface.name} has no request {name}")


class Connection:
    """One client. Its requests are sent by flush() and by every call that waits; events are kept in `events` where `keep` names them."""

    def __init__(self, display=None, keep=()):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], display or os.environ["WAYLAND_DISPLAY"]))
        self.out, self.out_fds, self.input = bytearray(), [], bytearray()
        self.objects, self.next_number = {}, 2
        self.globals, self.done, self.keep, self.events = {}, set(), set(keep), []
        self.configured = {}  # xdg_surface: the serial to acknowledge
        self.capabilities = 0  # of the seat
        self.error = None
        self.display = self.objects[1] = Object(self, 1, "wl_display", 1)
        self.registry = self.display.get_registry()
        self.roundtrip()

    def bind(self, interface, newest=99):
        """The global of this interface, or None where there is none."""
        if interface not in self.globals:
            return None
        name, version = self.globals[interface]
        version = min(version, newest)
        made = self._make(interface, version)
        encoded = interface.encode() + b"\0"
        body = struct.pack("=II", name, len(encoded)) + encoded.ljust((len(encoded) + 3) // 4 * 4, b"\0")
        self._append(self.registry, 0, body + struct.pack("=II", version, made.number), [])
        return made

    def _make(self, interface, version):
        number, self.next_number = self.next_number, self.next_number + 1
        made = self.objects[number] = Object(self, number, interface, version)
        return made

    def _append(self, target, opcode, body, fds):
        self.out += struct.pack("=II", target.number, (len(body) + 8) << 16 | opcode) + body
        self.out_fds += fds
        if len(self.out) > 2048 or len(self.out_fds) > 8:
            self.flush()

    def send(self, target, message, *values):
        """Takes a value for each argument but new_id; what that makes is returned. File descriptors stay the caller's."""
        values, body, fds, made = list(values), b"", [], None
        for argument in message.arguments:
            if argument.kind == "new_id":
                made = self._make(argument.interface, target.version)
                body += struct.pack("=I", made.number)
                continue
            value = values.pop(0)
            if argument.kind == "int":
                body += struct.pack("=i", value)
            elif argument.kind == "uint":
                body += struct.pack("=I", value & 0xFFFFFFFF)
            elif argument.kind == "fixed":
                body += struct.pack("=i", int(value * 256))
            elif argument.kind == "object":
                body += struct.pack("=I", value.number if value is not None else 0)
            elif argument.kind == "string":
                encoded = value.encode() + b"\0" if value is not None else b""
                body += struct.pack("=I", len(encoded)) + encoded.ljust((len(encoded) + 3) // 4 * 4, b"\0")
            elif argument.kind == "array":
                body += struct.pack("=I", len(value)) + value.ljust((len(value) + 3) // 4 * 4, b"\0")
            elif argument.kind == "fd":
                fds.append(os.dup(value))
        self._append(target, message.opcode, body, fds)
        if message.destructor:
            target.alive = False
        return made

    def flush(self):
        try:
            while self.out or self.out_fds:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", self.out_fds))] if self.out_fds else []
                sent = self.socket.sendmsg([bytes(self.out)], ancillary)
                for fd in self.out_fds:
                    os.close(fd)
                self.out_fds.clear()
                del self.out[:sent]
        except (BrokenPipeError, ConnectionResetError):
            self.out.clear()
            self._read_rest()

    def _read_rest(self):
        """What the compositor has said before it closed the connection."""
        while self._receive():
            pass
        raise self.error or Gone("the compositor closed the connection without an error")

    def _receive(self):
        try:
            data, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 64))
        except ConnectionResetError:
            return False
        for _, _, fds in ancillary:
            for fd in array.array("i", fds[: len(fds) // 4 * 4]):
                os.close(fd)
        self.input += data
        while len(self.input) >= 8:
            number, word = struct.unpack_from("=II", self.input)
            size = word >> 16
            if len(self.input) < size:
                break
            body, self.input = bytes(self.input[8:size]), self.input[size:]
            self._handle(self.objects.get(number), word & 0xFFFF, body)
        return bool(data)

    def dispatch(self, seconds=0.0):
        """Handles what has come, or comes in time. True: something did."""
        self.flush()
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        if not self._receive():
            raise self.error or Gone("the compositor closed the connection without an error")
        if self.error:
            raise self.error
        return True

    def wait_for(self, predicate, what):
        end = time.monotonic() + PATIENCE
        while not predicate():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {PATIENCE} s")
            self.dispatch(1.0)

    def roundtrip(self):
        """Until all that was sent is answered; ProtocolError where that was an error, Gone where the compositor says nothing."""
        callback = self.display.sync()
        self.wait_for(lambda: callback.number in self.done, "the answer to wl_display.sync")

    def _handle(self, target, opcode, body):
        if target is None or opcode >= len(target.interface.events):
            return
        event, offset, values = target.interface.events[opcode], 0, []
        for argument in event.arguments:
            if argument.kind == "fd":
                continue
            (word,) = struct.unpack_from("=I", body, offset)
            offset += 4
            if argument.kind in ("string", "array"):
                content = body[offset : offset + word]
                offset += (word + 3) // 4 * 4
                word = content.rstrip(b"\0").decode(errors="replace") if argument.kind == "string" else content
            elif argument.kind == "new_id" and argument.interface:
                self.objects[word] = Object(self, word, argument.interface, target.version)
            elif argument.kind in ("int", "fixed"):
                word = word - (1 << 32) if word >= 1 << 31 else word
            values.append(word)
        self._react(target, event.name, values)
        if event.name in self.keep:
            self.events.append((target, event.name, values))

    def _react(self, target, name, values):
        kind = (target.interface.name, name)
        if kind == ("wl_display", "error"):
            about = self.objects.get(values[0])
            self.error = ProtocolError(about.interface.name if about else "unknown", values[1], values[2])
        elif kind == ("wl_registry", "global"):
            self.globals.setdefault(values[1], (values[0], values[2]))
        elif kind == ("wl_callback", "done"):
            self.done.add(target.number)
        elif kind == ("xdg_surface", "configure"):
            self.configured[target.number] = values[0]
        elif kind == ("wl_seat", "capabilities"):
            self.capabilities = values[0]
        elif kind == ("xdg_wm_base", "ping"):
            target.pong(values[0])

    def close(self):
        self.socket.close()
        for fd in self.out_fds:
            os.close(fd)
