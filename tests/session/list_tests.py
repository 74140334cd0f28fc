#!/usr/bin/env python3
"""Names the session tests of each board: list_tests.py [[MODULE, [BOARD...]]...] as JSON. One line each: MODULE BOARD NAME...

A module decides by its board which tests it has, so that it is loaded once for each.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

for module, boards in json.loads(sys.argv[1]):
    for board in boards:
        environment = dict(os.environ) | {"VITRINE_PROFILE": board, "VITRINE_BUILD": "/vitrine/build/platform"}
        names = subprocess.run([sys.executable, os.path.join(HERE, f"{module}.py"), "--list"], env=environment, check=True,
                               capture_output=True, text=True).stdout.split()
        print(module, board, *names)
