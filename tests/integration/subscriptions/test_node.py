"""Messages are verified by the scheme's reference library for Node, as it comes from npm."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.guard import ROOT
from tests.integration.subscriptions.world import Message, World

NODE = ROOT / "tests" / "node"


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, with the library that the lock file names, installed beside it."""
    missing = [each for each in ("node", "npm") if shutil.which(each) is None]
    if missing:
        assert not os.environ.get("TESTS_NEED_NODE"), f"{missing} must be installed where all is tested"
        pytest.skip(f"NOT TESTED, that signatures are verified in Node: {missing} is not installed here")
    directory = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "verify.js"):
        shutil.copy(NODE / name, directory)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "verify.js"


def verified(verifier: Path, secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    asked = json.dumps({"secret": secret, "headers": dict(headers), "body": body.decode()})
    done = subprocess.run(
        ["node", str(verifier)], input=asked, capture_output=True, text=True, timeout=30, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def message_of(world: World) -> Message:
    world.log.tell()
    world.turn()
    return world.poster.messages[-1]


def test_a_message_is_verified_with_each_valid_secret_and_with_no_other(world: World, verifier: Path) -> None:
    wanted = world.subscribe()
    new = world.subscriptions.rotate(wanted, 2**50)
    assert new
    message = message_of(world)
    event = {"type": "cohort-relay.sync.completed", "id": message.event["id"]}
    for secret in (wanted.signing[0].secret, new):
        assert verified(verifier, secret.reveal(), message.headers, message.body) == event
    other = world.subscribe().signing[0].secret.reveal()
    refused = {"error": "WebhookVerificationError"}
    assert verified(verifier, other, message.headers, message.body) == refused
    assert verified(verifier, new.reveal(), message.headers, message.body + b" ") == refused
    assert (
        verified(verifier, new.reveal(), {**message.headers, "webhook-id": "another"}, message.body)
        == refused
    )
