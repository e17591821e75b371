"""Signatures after the Standard Webhooks scheme, with as many secrets as are valid.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from standardwebhooks import Webhook

from config.secret import Secret

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
"""The scheme asks for 24 to 64."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that the receiver knows, too.

    Attributes:
        secret: as the receiver writes it down, with its prefix.
        until_ms: from when on nothing is signed with it any more; None if it is the current one.
    """

    secret: Secret
    until_ms: int | None = None

    def valid(self, now_ms: int) -> bool:
        """Say whether it is still to be used."""
        return self.until_ms is None or now_ms < self.until_ms


def make_secret() -> Secret:
    """Make a new one."""
    return Secret(_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def headers_of(
    message_id: str, body: bytes, signing: Sequence[SigningSecret], now: datetime
) -> dict[str, str]:
    """Return the headers of a message: its id, its time, and a signature for each valid secret.

    Args:
        message_id: the same at every try.
        body: what is sent.
        signing: the newest first.
        now: the time of this try, in UTC.
    """
    text, now_ms = body.decode(), int(now.timestamp() * 1000)
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(each.secret.reveal()).sign(message_id, now, text)
            for each in signing
            if each.valid(now_ms)
        ),
    }
