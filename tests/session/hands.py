"""What several test modules do in a session."""

import contextlib

import session as s


@contextlib.contextmanager
def lit_session(config="", **how):
    """A session whose panel shows something."""
    with s.Session(config=config, **how) as session:
        s.wait_until(lambda: session.output()["frames_presented"], "the first frame", 60)
        yield session
