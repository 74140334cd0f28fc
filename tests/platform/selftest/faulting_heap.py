#!/usr/bin/env python3
# Profile `maps-and-faults`: a heap whose buffers map, and whose every access faults.
import mmap
import os
import signal

import tee
from testing import equal, main, test

HEAP, PAGE = "heap-secure", 4096


@test
def every_access_to_a_mapping_is_a_bus_error():
    fd = tee.allocate(HEAP, PAGE)
    for access in (lambda mapping: mapping[0], lambda mapping: mapping.__setitem__(0, 1)):
        child = os.fork()
        if child == 0:
            access(mmap.mmap(fd, PAGE, mmap.MAP_SHARED))
            os._exit(0)
        equal(os.WTERMSIG(os.waitpid(child, 0)[1]), signal.SIGBUS, "signal that ended the child")
    os.close(fd)


@test
def exporter_has_the_name_of_the_heap():
    fd = tee.allocate(HEAP, PAGE)
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
        equal("exp_name:\t" + HEAP in info.read(), True, "exp_name")
    os.close(fd)


main()
