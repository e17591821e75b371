"""A receiver that answers what a test tells it to, byte for byte, and keeps what it was sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receiver:
    """What came in, over how many connections."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, host: str = "127.0.0.1", path: str = "/hook", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


Answer = Callable[[socket.socket, bytes], None]


def plainly(answer: bytes = OK) -> Answer:
    return lambda connection, _request: connection.sendall(answer)


@contextmanager
def receiving(answer: Answer, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Serve one thread a connection; `answer` is called with each whole request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    receiver = Receiver(listener.getsockname()[1])
    open_ones: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            while request := _request(connection):
                receiver.requests.append(request)
                answer(connection, request)
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                receiver.connections += 1
                open_ones.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield receiver
    finally:
        for each in (listener, *open_ones):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for thread in threads:
            thread.join()
        for each in (listener, *open_ones):
            each.close()


@contextmanager
def receiving_noise() -> Iterator[Receiver]:
    """Answer every connection at once with something that is neither TLS nor HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail.example ready\r\n")
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Receiver(listener.getsockname()[1])
        thread.join()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (some := connection.recv(65_536)):
            return b""
        data += some
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
