"""A port for a server of one test. Not the one that Airflow's stack prefers, which another worker may be about to take."""

import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on, of those that the system gives at random."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
