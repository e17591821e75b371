"""The first token of a local run, over a real Redis."""

import stat
from pathlib import Path

import pytest
import redis

from app.access.audit import Audit
from app.access.tokens import Tokens
from app.local.credentials import load_or_create
from app.local.first_token import first_token


class Directory:
    """A directory of runs: each begins with what the one before has left."""

    def __init__(self, redis_url: str, path: Path) -> None:
        self.url = redis_url
        self.file = path / "demo.env"

    def run(self, *, demo: bool = True) -> str | None:
        return first_token(self.url, self.file, load_or_create(self.file), demo=demo, audit_cap=1_000)


@pytest.fixture
def directory(redis_url: str, tmp_path: Path) -> Directory:
    return Directory(redis_url, tmp_path)


@pytest.fixture
def tokens(redis_client: redis.Redis) -> Tokens:
    return Tokens(redis_client)


def test_the_first_run_makes_a_token_that_may_do_everything(directory: Directory, tokens: Tokens) -> None:
    text = directory.run()
    assert text
    found = tokens.find(text)
    assert found
    assert (found.scopes, found.project_id, found.expires_ms) == (("admin",), None, None)


def test_making_it_is_recorded(directory: Directory, redis_client: redis.Redis) -> None:
    directory.run()
    (written,) = Audit(redis_client, 1_000).all()
    assert written.entry.action == "make run"
    directory.run()
    assert len(list(Audit(redis_client, 1_000).all())) == 1


def test_later_runs_show_the_same_one_kept_for_its_owner_only(directory: Directory, tokens: Tokens) -> None:
    before = load_or_create(directory.file)
    assert directory.run() == directory.run()
    assert len(tokens.all()) == 1
    assert stat.S_IMODE(directory.file.stat().st_mode) == 0o600
    assert before.items() <= load_or_create(directory.file).items()


def test_a_token_that_was_revoked_never_comes_back(directory: Directory, tokens: Tokens) -> None:
    first = directory.run()
    assert first
    tokens.revoke(tokens.all()[0].id)
    second = directory.run()
    assert second
    assert tokens.find(first) is None


def test_where_others_have_made_tokens_it_makes_none(directory: Directory, tokens: Tokens) -> None:
    tokens.create("theirs", ["read"], 0)
    assert directory.run() is None
    assert len(tokens.all()) == 1


def test_a_demo_and_a_real_run_keep_theirs_apart(
    directory: Directory, tokens: Tokens, redis_client: redis.Redis
) -> None:
    demo = directory.run()
    redis_client.flushdb()  # a real run has another Redis
    real = directory.run(demo=False)
    assert demo
    assert real
    assert demo != real
    assert directory.run(demo=False) == real
    assert load_or_create(directory.file)["DEMO_API_TOKEN"] == demo


def test_a_redis_that_is_away_does_not_keep_a_run_from_starting(tmp_path: Path) -> None:
    assert Directory("redis://127.0.0.1:1/0", tmp_path).run() is None
