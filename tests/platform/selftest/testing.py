"""A test is a function; `@test` adds it. `main()` runs all of them, or those that its words name: a whole name, or a part of names where no
test is called just that. It prints `ok NAME`, `FAIL NAME: why` or `skip NAME: why` for each; with `--list` the names alone."""

import errno
import os
import sys
import traceback

_tests = []


class Skip(Exception):
    pass


def test(function):
    _tests.append(function)
    return function


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError(f"{what} is {got!r}, not {wanted!r}")


def fails(code, function, *arguments):
    """Calls function, which must fail with errno `code`."""
    try:
        function(*arguments)
    except OSError as error:
        equal(errno.errorcode[error.errno], errno.errorcode[code], "errno")
        return
    raise AssertionError(f"succeeded, where {errno.errorcode[code]} was expected")


def main(words=()):
    failed = False
    names = {function.__name__.replace("_", "-"): function for function in _tests}
    if list(words) == ["--list"]:
        print(*names, sep="\n")
        return
    unknown = [word for word in words if not any(word in name for name in names)]
    if unknown:
        sys.exit(f"no test has {' or '.join(unknown)} in its name; there are: {' '.join(names)}")
    for name, function in names.items():
        if words and not any(word == name or (word in name and word not in names) for word in words):
            continue
        try:
            function()
            print(f"ok {name}", flush=True)
        except Skip as reason:
            print(f"skip {name}: {reason}", flush=True)
        except Exception as error:
            failed = True
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL {name}: {type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})", flush=True)
    sys.exit(1 if failed else 0)
