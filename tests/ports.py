"""Free TCP ports for the servers that tests start.

Only ports below the kernel's range for outgoing connections (32768 and up on Linux) are given out. Inside
that range a client that reconnects to a killed server can be given the server's own port as its source and
connect to itself, and a restarted server can find its port taken.
"""

import random
import socket

_FIRST, _LAST = 15000, 31999
_random = random.SystemRandom()  # independent of seeds that tests set, different in each xdist worker


def free_port() -> int:
    """Return a loopback TCP port that nothing listens on."""
    while True:
        port = _random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
