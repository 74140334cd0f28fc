#!/usr/bin/env python3
"""Which requests of the advertised protocols the session tests have sent: requests.py DIR, with the JSON files that wayland.py left.

Counted are the requests of every advertised global, and of every interface whose objects it leads to, up to the advertised version.
What real programs send is not counted.
"""

import glob
import json
import os
import sys

import wayland


def reachable(offered):
    """Every interface that the globals lead to, with the newest version that it can have."""
    found, left = {}, list(offered.items())
    while left:
        name, version = left.pop()
        if name not in wayland.INTERFACES or found.get(name, 0) >= version:
            continue
        found[name] = version
        interface = wayland.INTERFACES[name]
        left += [(argument["interface"], version) for message in interface.requests + interface.events if message.since <= version
                 for argument in message.arguments if argument["type"] == "new_id" and "interface" in argument]
    return found


def main(folder):
    sent, offered = set(), {"wl_display": 1}
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        sent |= {tuple(pair) for pair in told["sent"]}
        offered |= told["offered"]
    unknown = sorted(set(offered) - set(wayland.INTERFACES))
    wanted = {(name, request.name) for name, version in reachable(offered).items()
              for request in wayland.INTERFACES[name].requests if request.since <= version}
    done = wanted & sent
    known = done and not unknown
    print(f"{'ok' if known else 'FAIL'} requests-exercised: {len(done)} of the {len(wanted)} that are advertised; not yet:")
    for name in sorted({name for name, _ in wanted - done}):
        print(f"    {name}: {' '.join(sorted(request for owner, request in wanted - done if owner == name))}")
    for name in unknown:
        print(f"    {name}: add its XML to tests/clients/xml, so that its requests are counted")
    return 0 if known else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
