"""TCP ports: taken or free, told before anything starts."""

import errno
import secrets
import socket

from app.local.errors import LocalError

# Below the kernel's range for outgoing connections (from 32768 on Linux): inside it, a client that connects
# again while Redis is away can be given Redis' own port as its source, and keep it.
_EMBEDDED_REDIS = range(20_000, 32_000)
_TRIES = 100
_HIGHEST = 65535


def parse_port(value: str, variable: str) -> int:
    """Read a port number from an environment variable.

    Raises:
        LocalError: it is none; the sentence names the variable.
    """
    if value.isascii() and value.isdigit() and 0 < int(value) <= _HIGHEST:
        return int(value)
    raise LocalError(f"{variable} is {value!r}, but must be a port number from 1 to {_HIGHEST}.")


def require_free(port: int, variable: str, process: str) -> None:
    """Make sure that `process` will be able to listen on `port`.

    Raises:
        LocalError: it will not; the sentence names the port and the variable that changes it.
    """
    error = _bind_error(port)
    if error is None:
        return
    if error == errno.EACCES:
        raise LocalError(f"Port {port} (for {process}) needs more rights: set {variable} to 1024 or above.")
    raise LocalError(
        f"Port {port} (for {process}) is in use: end the program that listens there, or set {variable} to a "
        f"free port, as in `{variable}={port + 1} make run` or a line in .env."
    )


def free_redis_port() -> int:
    """Return a loopback port for the embedded Redis.

    By chance, not the first that is free: two runs that start together would both find that one.
    """
    for _ in range(_TRIES):
        port = _EMBEDDED_REDIS[secrets.randbelow(len(_EMBEDDED_REDIS))]
        if _bind_error(port) is None:
            return port
    raise LocalError("No port is free for the embedded Redis; set REDIS_URL to use a Redis of your own.")


def accepts(port: int) -> bool:
    """Say whether somebody accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def _bind_error(port: int) -> int | None:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - only tried, never listened on
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as err:
                return err.errno or errno.EADDRINUSE
    return None
