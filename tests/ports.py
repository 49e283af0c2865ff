"""Find a port for a process that has to be told one."""

import random
import socket

BELOW_EPHEMERAL = range(10_000, 32_768)
"""Linux gives 32768 and above to whoever asks for any port, and many tests do beside this one."""


def free_port() -> int:
    """Return a port on loopback at which nobody listens and that nobody is given by chance."""
    while True:
        port = random.choice(BELOW_EPHEMERAL)  # noqa: S311 — no secret
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
