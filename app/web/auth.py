"""Which projects a request may speak for: HTTP Basic credentials of the webhook.

All projects' credentials are compared, each through a keyed hash and in constant time, so that neither the
time taken nor the answer tells how much of a guess was right or which project it came near to.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Iterator

from config.projects import Credential, Project


class Credentials:
    """The webhook credentials of all projects."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self._key = secrets.token_bytes(32)
        self._known = tuple(
            (self._digest(pair), project.id)
            for project in projects
            for credential in project.webhook_credentials
            for pair in _pairs(credential)
        )

    def projects_of(self, authorization: str | None) -> frozenset[str]:
        """Return the ids of the projects that an `Authorization` header reaches; empty for a useless one."""
        presented = self._digest(_presented(authorization))
        return frozenset(
            project_id for digest, project_id in self._known if hmac.compare_digest(digest, presented)
        )

    def _digest(self, pair: bytes) -> bytes:
        return hmac.digest(self._key, pair, "sha256")


def _pairs(credential: Credential) -> Iterator[bytes]:
    """Give `username:password` in the encodings that clients use: RFC 7617 leaves the choice to them."""
    pair = f"{credential.username}:{credential.password.reveal()}"
    yield pair.encode()
    if not pair.isascii():
        try:
            yield pair.encode("latin-1")
        except UnicodeEncodeError:  # not a Latin-1 text: no client can send it so
            return


def _presented(authorization: str | None) -> bytes:
    """Return the bytes `username:password` of the header; without them b"", which equals no credential."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
