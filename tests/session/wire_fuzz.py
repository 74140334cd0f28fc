#!/usr/bin/env python3
"""Random requests on every global, from several clients at once, with real buffers, in the guest. What comes is repeatable: the seed is
printed, and VITRINE_FUZZ_SEED sets it; VITRINE_FUZZ_REQUESTS says how many. Sanitized, a use of freed memory is a failure by itself."""

import contextlib
import os
import random
import struct
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import uinput  # noqa: E402
import wire  # noqa: E402
import wire_scene  # noqa: E402

PROFILE = os.environ["VITRINE_PROFILE"]
CLIENTS = 4
NUMBERS = (0, 1, 2, 3, -1, 8, 64, 4096, 16384, 65535, 1 << 20, (1 << 31) - 1, -(1 << 31))
STRINGS = ("", "text/plain", "x" * 3000)


def on(*profiles):
    """Adds the test where the profile is one of these."""
    return testing.test if PROFILE in profiles else lambda function: function


class FuzzClient:
    """One client: a scene, on which it does what the dice say."""

    def __init__(self, memory, dice):
        self.memory, self.dice = memory, dice
        self.errors = 0
        self.scene = None
        self.begin()

    def begin(self):
        if self.scene is not None:
            self.scene.connection.close()
        self.scene = wire_scene.Scene(self.memory)
        self.last = "nothing"

    def value(self, argument):
        if argument.kind == "object":
            if argument.optional and self.dice.random() < 0.2:
                return None
            if self.dice.random() < 0.02:
                return self.dice.choice(list(self.scene.connection.objects.values()))
            return self.scene.value_for(argument, self.dice.randrange(64))
        if argument.kind == "fd":
            return self.dice.choice(self.memory.fds())
        if argument.kind == "string":
            return self.dice.choice(STRINGS)
        if argument.kind == "array":
            return self.dice.randbytes(self.dice.randrange(16))
        number = self.dice.choice(NUMBERS) if self.dice.random() < 0.5 else self.dice.randrange(100)
        return float(max(min(number, 1 << 22), -(1 << 22))) if argument.kind == "fixed" else number

    def step(self):
        """One request, or a mutilated one."""
        connection = self.scene.connection
        objects = [one for one in connection.objects.values() if one.alive and one.number < 0xFF000000]
        target = self.dice.choice(objects)
        messages = [message for message in target.interface.requests if message.since <= target.version]
        if not messages or target.interface.name in ("wl_registry", "wl_display"):
            return
        message = self.dice.choice(messages)
        if message.destructor and self.dice.random() < 0.7:
            return
        values = [self.value(argument) for argument in message.arguments if argument.kind != "new_id"]
        if any(value is None and argument.kind == "object" and not argument.optional
               for value, argument in zip(values, (a for a in message.arguments if a.kind != "new_id"))):
            return
        self.last = f"{target!r}.{message.name}"
        made = connection.send(target, message, *values)
        if made is not None and len(self.scene.objects) < 300:
            self.scene.objects[f"fuzz-{made.number}"] = made
        if self.dice.random() < 0.005:
            self.mutilate(connection)

    def mutilate(self, connection):
        """A request with a wrong length, opcode or object. Where it announces more than it has, the client hangs up: the compositor
        would wait for the rest, and take the next requests for it."""
        self.last += " and a mutilated one"
        number = self.dice.choice((0, 1, 2, 3, 5000, 0xFFFFFFFF))
        size = self.dice.choice((0, 4, 8, 12, 16, 4096, 0xFFFF))
        body = self.dice.randbytes(self.dice.choice((0, 8, 40)))
        connection.out += struct.pack("=II", number, size << 16 | self.dice.randrange(12)) + body
        connection.flush()
        if size > 8 + len(body):
            raise wire.Gone("half a request")

    def run(self, steps):
        try:
            for _ in range(steps):
                self.step()
            self.scene.connection.dispatch()
            if self.dice.random() < 0.3:
                self.scene.connection.roundtrip()
        except wire.ProtocolError:
            self.errors += 1
            self.begin()
        except wire.Gone:  # libwayland hangs up on what it cannot read
            self.errors += 1
            self.begin()


@on("full")
def random_requests_end_their_client_and_nothing_else():
    seed = int(os.environ.get("VITRINE_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    requests = int(os.environ.get("VITRINE_FUZZ_REQUESTS", "20000"))
    print(f"# seed {seed}, {requests} requests", flush=True)
    dice = random.Random(seed)
    with s.Session() as session, contextlib.closing(uinput.Mouse()) as mouse, contextlib.closing(uinput.Keyboard()) as keyboard:
        s.wait_until(lambda: session.input_devices() == 2, "mouse and keyboard to be opened")
        os.environ["WAYLAND_DISPLAY"] = session.environment["WAYLAND_DISPLAY"]
        memory = wire_scene.Memory()
        clients = [FuzzClient(memory, dice) for _ in range(CLIENTS)]
        done = 0
        while done < requests:
            steps = dice.randrange(1, 40)
            client = dice.choice(clients)
            try:
                client.run(steps)
            except (ConnectionError, TimeoutError) as error:
                raise AssertionError(f"seed {seed}: after {done} requests, the last was {client.last}: {error!r}\n"
                                     f"{session.compositor.log()[-3000:]}") from None
            done += steps
            if dice.random() < 0.02:
                mouse.move(dice.randrange(-300, 300), dice.randrange(-300, 300))
                keyboard.chord("a")
        print(f"# {sum(client.errors for client in clients)} connections ended", flush=True)
        session.screenshot()


if __name__ == "__main__":
    testing.main(sys.argv[1:])
