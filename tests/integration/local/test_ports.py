"""A port in use is told before anything starts."""

import socket
import sys

import pytest

from app.local.errors import LocalError
from app.local.ports import require_free
from tests.ports import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
def test_a_port_in_use_is_told_with_its_number_and_variable(host: str) -> None:
    if host == "127.0.0.2" and sys.platform != "linux":
        pytest.skip("only Linux has the whole of 127.0.0.0/8")
    port = free_port()
    with socket.create_server((host, port)), pytest.raises(LocalError, match=rf"Port {port} .*SANDBOX_PORT"):
        require_free(port, "SANDBOX_PORT", "the sandbox")


def test_a_free_port_passes_also_when_a_connection_to_it_was_closed_just_now() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)):
        accepted, _ = server.accept()
        accepted.close()  # this side closes first: the port stays in TIME_WAIT
    require_free(port, "PORT", "the web server")
