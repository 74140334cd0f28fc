#!/usr/bin/env python3
# Profile `no-supplicant`: what is not built into the TEE never opens, and holds one of its two threads.
import os
import signal
import time

import tee
from testing import equal, main, test


def sleeps(child):
    """Whether the child waits in the kernel, where only a signal that ends it reaches it."""
    with open(f"/proc/{child}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "D"


def opener(uuid):
    child = os.fork()
    if child == 0:
        tee.Tee().open(uuid)
        os._exit(0)
    while not sleeps(child):
        time.sleep(0.01)
    return child


@test
def what_is_built_in_opens():
    world = tee.Tee()
    equal(world.open(tee.SDP_BASIC)[1:], (tee.SUCCESS, tee.ORIGIN_APPLICATION), "answer to open")
    world.close()


@test
def what_is_not_never_opens_and_sigkill_gives_the_thread_back():
    for uuid in (tee.FRAME_DECRYPT, bytes(16)):
        children = [opener(uuid), opener(uuid)]  # both threads
        blocked = opener(tee.SDP_BASIC)  # waits for a thread
        for child in children:
            os.kill(child, signal.SIGKILL)
            equal(os.WTERMSIG(os.waitpid(child, 0)[1]), signal.SIGKILL, "signal that ended it")
        equal(os.waitpid(blocked, 0)[1], 0, "status of the one that waited")


main()
