#!/usr/bin/env python3
# The protected heap and the secure world, in profile `selftest` (which alone allows DUMP).
import ctypes
import errno
import fcntl
import mmap
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import tee
from tee import ACCESS_DENIED, BAD_PARAMETERS, BAD_STATE, SHORT_BUFFER, SUCCESS, IN, INOUT, NONE, OUT, memref
from testing import equal, fails, main, test

INJECT, TRANSFORM, DUMP = 0, 1, 2
SET_KEY, DECRYPT = 0, 1
PAGE = 4096
world = tee.Tee()


def session(uuid):
    number, ret, origin = world.open(uuid)
    equal((ret, origin), (SUCCESS, tee.ORIGIN_APPLICATION), "answer to open")
    return number


def answers(wanted, sessionNumber, command, *params):
    equal(world.invoke(sessionNumber, command, *params), (wanted, tee.ORIGIN_APPLICATION), f"answer to command {command}")


def dumped(memory, offset, size):
    clear = world.share(b"", size)
    answers(SUCCESS, session(tee.SDP_BASIC), DUMP, memref(IN, memory, offset, size), memref(OUT, clear, 0, size))
    return clear.map[:size]


@test
def heap_allocates():
    fd = tee.allocate(tee.PROTECTED, 1280 * 720 * 4)
    equal(os.lseek(fd, 0, os.SEEK_END), 1280 * 720 * 4, "size")
    os.close(fd)


@test
def heap_rounds_up_and_refuses_nothing():
    fd = tee.allocate(tee.PROTECTED, 5000)
    equal(os.lseek(fd, 0, os.SEEK_END), 2 * PAGE, "size")
    os.close(fd)
    fails(errno.EINVAL, tee.allocate, tee.PROTECTED, 0)


@test
def heap_runs_out_with_enomem_and_recovers():
    for _ in range(2):
        buffers = [tee.allocate(tee.PROTECTED, 16 << 20) for _ in range(8)]
        fails(errno.ENOMEM, tee.allocate, tee.PROTECTED, PAGE)
        for fd in buffers:
            os.close(fd)


@test
def every_mapping_is_refused():
    fd = tee.allocate(tee.PROTECTED, PAGE)
    for protection in (mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_READ | mmap.PROT_WRITE, 0):
        fails(errno.EINVAL, lambda: mmap.mmap(fd, PAGE, mmap.MAP_SHARED, protection))
    fails(errno.EINVAL, os.read, fd, 1)
    fails(errno.EINVAL, os.write, fd, b"x")
    registered = world.registerFd(fd)
    fails(errno.EINVAL, lambda: mmap.mmap(registered.fd, PAGE))
    registered.close()
    os.close(fd)


@test
def fdinfo_names_the_exporter():
    fd = tee.allocate(tee.PROTECTED, PAGE)
    fields = dict(line.split(":\t", 1) for line in open(f"/proc/self/fdinfo/{fd}").read().splitlines() if ":\t" in line)
    equal(fields["exp_name"].strip(), "tee", "exp_name")
    equal(fields["size"].strip(), str(PAGE), "size")
    os.close(fd)


@test
def only_protected_buffers_register():
    fd = tee.allocate("system", PAGE)
    fails(errno.EINVAL, world.registerFd, fd)
    os.close(fd)
    fails(errno.EINVAL, world.registerFd, os.open("/dev/null", os.O_RDWR))


@test
def version_says_generic_and_no_other_tee():
    implementation, _, capabilities = world.version()
    equal(capabilities, 1 | 4 | 8, "capabilities")
    equal(implementation in (1, 2, 3, 4), False, "use of somebody else's id")


@test
def unknown_application_is_not_found():
    _, ret, origin = world.open(bytes(16))
    equal((ret, origin), (tee.ITEM_NOT_FOUND, tee.ORIGIN_TEE))


@test
def sdp_basic_as_optee_test_does():
    sdp, size = session(tee.SDP_BASIC), 5000 - 255
    memory = world.protected(5000)
    for first in (0, 3, 6):
        data = os.urandom(size)
        offset = data[0]
        plain = world.share(data)
        answers(SUCCESS, sdp, first + INJECT, memref(IN, plain, 0, size), memref(OUT, memory, offset, size))
        answers(SUCCESS, sdp, first + TRANSFORM, memref(INOUT, memory, offset, size))
        answers(SUCCESS, sdp, first + DUMP, memref(IN, memory, offset, size), memref(OUT, plain, 0, size))
        equal(plain.map[:size], bytes(-byte & 0xFF for byte in data), "transformed data")
    memory.close()


@test
def sdp_basic_refuses_the_wrong_world():
    sdp = session(tee.SDP_BASIC)
    ordinary, other, memory, second = world.share(b"x" * PAGE), world.share(b"", PAGE), world.protected(PAGE), world.protected(PAGE)
    for first, denied in ((0, ACCESS_DENIED), (3, ACCESS_DENIED), (6, BAD_PARAMETERS)):
        answers(denied, sdp, first + INJECT, memref(IN, ordinary), memref(OUT, other))
        answers(denied, sdp, first + INJECT, memref(IN, second), memref(OUT, memory))
        answers(denied, sdp, first + TRANSFORM, memref(INOUT, ordinary))
        answers(denied, sdp, first + DUMP, memref(IN, ordinary), memref(OUT, other))
        answers(denied, sdp, first + DUMP, memref(IN, memory), memref(OUT, second))
        answers(BAD_PARAMETERS, sdp, first + INJECT, memref(OUT, memory), memref(IN, ordinary))
        answers(BAD_PARAMETERS, sdp, first + TRANSFORM, memref(IN, memory))
        answers(SHORT_BUFFER, sdp, first + INJECT, memref(IN, ordinary), memref(OUT, memory, 1))
    answers(BAD_PARAMETERS, sdp, 9, memref(IN, ordinary), memref(OUT, memory))


@test
def pseudo_application_refuses_the_normal_world():
    pseudo, memory = session(tee.PSEUDO), world.protected(PAGE)
    plain = world.share(bytes(PAGE))
    for command in range(16):
        answer = world.invoke(pseudo, command, memref(IN, plain), memref(OUT, memory))
        equal(answer, (BAD_PARAMETERS, tee.ORIGIN_TEE), f"answer to command {command}")


@test
def an_invocation_references_14_mib_at_most():
    sdp, half = session(tee.SDP_BASIC), 7 << 20
    memory, plain = world.protected(half + PAGE), ctypes.create_string_buffer(half + PAGE)
    shared = world.register(plain)
    answers(SUCCESS, sdp, INJECT, memref(IN, shared, 0, half), memref(OUT, memory, 0, half))
    answers(tee.OUT_OF_MEMORY, sdp, INJECT, memref(IN, shared, 0, half + PAGE), memref(OUT, memory, 0, half + PAGE))
    memory.close()


@test
def a_registration_holds_32_mib_at_most():
    world.register(ctypes.create_string_buffer((32 << 20) - PAGE)).close()
    fails(errno.EINVAL, world.register, ctypes.create_string_buffer((32 << 20) + PAGE))


@test
def a_null_reference_kills_the_application_in_this_session():
    sdp, memory = session(tee.SDP_BASIC), world.protected(PAGE)
    null = (IN, 0, 0, 2**64 - 1)
    for _ in range(2):
        equal(world.invoke(sdp, INJECT, null, memref(OUT, memory)), (tee.TARGET_DEAD, tee.ORIGIN_TEE), "answer")
    answers(BAD_PARAMETERS, session(tee.SDP_BASIC), 9)


@test
def a_panic_is_answered_by_the_tee_for_ever():
    bad = session(tee.BAD_APP)
    for command in (0, 7):
        equal(world.invoke(bad, command), (tee.TARGET_DEAD, tee.ORIGIN_TEE), "answer")
    world.closeSession(bad)
    answers(BAD_PARAMETERS, session(tee.BAD_APP), 7)


@test
def out_of_bounds_references_never_reach_an_application():
    sdp, memory, plain = session(tee.SDP_BASIC), world.protected(PAGE), world.share(bytes(2 * PAGE))
    for offset, size in ((PAGE - 1, 2), (PAGE - 1, 5000), (PAGE, 1), (PAGE + PAGE, 1), (2, 2**64 - 1)):
        fails(errno.EINVAL, world.invoke, sdp, INJECT, memref(IN, plain, 0, 1), memref(OUT, memory, offset, size))
    fails(errno.EINVAL, world.invoke, sdp, INJECT, memref(IN, plain, 0, 1), (OUT, 0, 1, 9999))


def encrypted(key, counter, clear):
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(clear)


@test
def decrypts_as_aes_128_ctr():
    app = session(tee.FRAME_DECRYPT)
    for size in (1, 15, 16, 17, PAGE - 1, PAGE, PAGE + 1, 100_000):
        key, counter, clear = os.urandom(16), os.urandom(16), os.urandom(size)
        answers(SUCCESS, app, SET_KEY, memref(IN, world.share(key), 0, 16))
        memory = world.protected(size + 64)
        answers(SUCCESS, app, DECRYPT, memref(IN, world.share(encrypted(key, counter, clear)), 0, size),
                memref(OUT, memory, 32, size), memref(IN, world.share(counter), 0, 16))
        equal(dumped(memory, 32, size) == clear, True, f"plaintext of {size} bytes equal")
        memory.close()


@test
def counter_carries_into_all_its_bytes():
    app, key, clear, counter = session(tee.FRAME_DECRYPT), bytes(range(16)), bytes(64), b"\xff" * 15 + b"\xfe"
    answers(SUCCESS, app, SET_KEY, memref(IN, world.share(key), 0, 16))
    memory = world.protected(PAGE)
    answers(SUCCESS, app, DECRYPT, memref(IN, world.share(encrypted(key, counter, clear)), 0, 64), memref(OUT, memory),
            memref(IN, world.share(counter), 0, 16))
    equal(dumped(memory, 0, 64), clear, "plaintext")


@test
def decrypts_from_registered_memory_of_any_size():
    app, key, counter, clear = session(tee.FRAME_DECRYPT), os.urandom(16), os.urandom(16), os.urandom(6 << 20)
    answers(SUCCESS, app, SET_KEY, memref(IN, world.share(key), 0, 16))
    cipher = encrypted(key, counter, clear)
    buffer = (ctypes.c_char * (len(cipher) + 100)).from_buffer(bytearray(100) + cipher)
    memory = world.protected(len(clear))
    answers(SUCCESS, app, DECRYPT, memref(IN, world.register(buffer), 100, len(cipher)), memref(OUT, memory),
            memref(IN, world.share(counter), 0, 16))
    for offset in (0, 4 << 20, (6 << 20) - PAGE):
        equal(dumped(memory, offset, PAGE) == clear[offset:offset + PAGE], True, f"plaintext at {offset} equal")
    memory.close()


@test
def decryption_refusals_have_their_codes():
    app, ordinary, memory = session(tee.FRAME_DECRYPT), world.share(b"x" * PAGE), world.protected(PAGE)
    counter, small = memref(IN, ordinary, 0, 16), world.protected(PAGE)
    answers(BAD_STATE, app, DECRYPT, memref(IN, ordinary), memref(OUT, memory), counter)
    answers(BAD_PARAMETERS, app, SET_KEY, memref(IN, ordinary, 0, 15))
    answers(BAD_PARAMETERS, app, SET_KEY, (tee.VALUE_IN, 1, 2, 3))
    answers(BAD_PARAMETERS, app, SET_KEY)
    answers(ACCESS_DENIED, app, SET_KEY, memref(IN, memory, 0, 16))
    answers(SUCCESS, app, SET_KEY, memref(IN, ordinary, 0, 16))
    answers(BAD_PARAMETERS, app, DECRYPT, memref(IN, ordinary), memref(OUT, memory))
    answers(BAD_PARAMETERS, app, DECRYPT, memref(IN, ordinary), memref(INOUT, memory), counter)
    answers(BAD_PARAMETERS, app, DECRYPT, memref(IN, ordinary, 0, 0), memref(OUT, memory), counter)
    answers(BAD_PARAMETERS, app, DECRYPT, memref(IN, ordinary), memref(OUT, memory), memref(IN, ordinary, 0, 17))
    answers(SHORT_BUFFER, app, DECRYPT, memref(IN, ordinary), memref(OUT, memory, 1), counter)
    answers(ACCESS_DENIED, app, DECRYPT, memref(IN, ordinary), memref(OUT, world.share(b"", PAGE)), counter)
    answers(ACCESS_DENIED, app, DECRYPT, memref(IN, small), memref(OUT, memory), counter)
    answers(ACCESS_DENIED, app, DECRYPT, memref(IN, ordinary), memref(OUT, memory), memref(IN, small, 0, 16))
    answers(BAD_PARAMETERS, app, 2)
    fails(errno.EINVAL, world.invoke, app, DECRYPT, *[memref(IN, ordinary)] * 5)


@test
def sessions_belong_to_their_client_and_end():
    app, other = session(tee.FRAME_DECRYPT), tee.Tee()
    fails(errno.EINVAL, other.invoke, app, SET_KEY)
    fails(errno.EINVAL, other.closeSession, app)
    other.close()
    world.closeSession(app)
    fails(errno.EINVAL, world.closeSession, app)
    fails(errno.EINVAL, world.invoke, app, SET_KEY)


@test
def a_registered_buffer_outlives_its_fd():
    memory = world.protected(PAGE)
    plain = world.share(b"still here".ljust(PAGE))
    answers(SUCCESS, session(tee.SDP_BASIC), INJECT, memref(IN, plain), memref(OUT, memory))
    equal(dumped(memory, 0, 10), b"still here")


main()
