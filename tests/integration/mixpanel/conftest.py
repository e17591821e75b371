from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.mixpanel.transport import Transport
from config.projects import HOSTS, Project
from config.secret import Secret
from tests.integration.mixpanel.server import Server

TOKEN = "4f2ac9b0e1d24c7f8a6b5c4d3e2f1a0b"

MakeTransport = Callable[..., Transport]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    made: list[Transport] = []

    def make(timeout_s: float = 5.0, connect_timeout_s: float = 2.0, connections: int = 4) -> Transport:
        made.append(
            Transport(timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, connections=connections)
        )
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def transport(make_transport: MakeTransport) -> Transport:
    return make_transport()


@pytest.fixture
def project(server: Server) -> Project:
    return Project(
        id="2195193",
        name="Shop",
        region="eu",
        token=Secret(TOKEN),
        hosts=replace(HOSTS["eu"], ingestion=server.url),
        webhook_credentials=(),
        integration_id="my-company",
    )
