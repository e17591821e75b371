"""Basic auth: which projects a header reaches."""

import base64

import pytest

from app.web.auth import Credentials
from config.projects import HOSTS, Credential, Project
from config.secret import Secret


def project(project_id: str, *credentials: tuple[str, str]) -> Project:
    return Project(
        id=project_id,
        name=project_id,
        region="us",
        token=Secret("token"),
        hosts=HOSTS["us"],
        webhook_credentials=tuple(Credential(name, Secret(password)) for name, password in credentials),
    )


SHOP = project("1", ("shop", "old:colon"), ("shop", "new"))
BLOG = project("2", ("blog", "pass"), ("both", "shared"))
NEWS = project("3", ("both", "shared"), ("jürgen", "straße"))
BARE = project("4")
CREDENTIALS = Credentials([SHOP, BLOG, NEWS, BARE])


def basic(pair: str | bytes, scheme: str = "Basic") -> str:
    sent = pair.encode() if isinstance(pair, str) else pair
    return f"{scheme} {base64.b64encode(sent).decode()}"


@pytest.mark.parametrize(
    ("header", "reached"),
    [
        (basic("shop:old:colon"), {"1"}),
        (basic("shop:new"), {"1"}),
        (basic("shop:new", "bAsIc"), {"1"}),
        (basic("blog:pass"), {"2"}),
        (basic("both:shared"), {"2", "3"}),
        (basic("jürgen:straße"), {"3"}),
        (basic("jürgen:straße".encode("latin-1")), {"3"}),
    ],
)
def test_a_right_credential_reaches_the_projects_that_have_it(header: str, reached: set[str]) -> None:
    assert CREDENTIALS.projects_of(header) == reached


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic ü",
        basic(""),
        basic(":"),
        basic("shop"),
        basic("shop:"),
        basic("shop:ne"),
        basic("shop:new "),
        basic("Shop:new"),
        basic("shop:pass"),
        basic("blog:new"),
        basic("shop:new", "Bearer"),
    ],
)
def test_any_other_header_reaches_none(header: str | None) -> None:
    assert CREDENTIALS.projects_of(header) == frozenset()


def test_without_projects_nothing_is_reached() -> None:
    assert Credentials([]).projects_of(basic("")) == frozenset()


def test_every_credential_is_compared_whatever_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def compare(left: bytes, right: bytes) -> bool:
        nonlocal compared
        compared += 1
        return left == right

    monkeypatch.setattr("app.web.auth.hmac.compare_digest", compare)
    for header in (basic("shop:old:colon"), basic("nobody:nothing"), None):
        compared = 0
        CREDENTIALS.projects_of(header)
        assert compared == 7  # the six in UTF-8, and the one with an umlaut in Latin-1 too


def test_no_password_stays_in_the_object() -> None:
    assert b"old:colon" not in repr(vars(CREDENTIALS)).encode()
