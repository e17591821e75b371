"""Invented people: plausible names, addresses and habits, each decided by seed and number alone."""

import unicodedata
import uuid
from random import Random
from typing import Any

from app.sandbox.chance import seeded
from app.sandbox.population import names

TIMEZONES = (
    "Europe/Berlin",
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Tokyo",
    "Africa/Lagos",
)
DOMAINS = ("com", "org", "net")
PLANS = ("free", "trial", "pro", "business")
PLAN_WEIGHTS = (50, 15, 25, 10)
PAID = frozenset({"pro", "business"})
UUID_SHARE = 0.7
PLAIN_IDS = ("user-{}", "u_{}", "{}", "customer:{}")
READERS_SHARE = 0.45
PHONES_SHARE = 0.6


def person(seed: int, number: int) -> tuple[str, dict[str, Any]]:
    """Invent person `number`: a distinct_id (a UUID, or a plain user id) and profile properties."""
    chance = seeded(seed, "person", number)
    distinct_id = _distinct_id(chance, number)
    return distinct_id, described(chance, number)


def described(chance: Random, number: int) -> dict[str, Any]:
    """Return profile properties of a made-up person."""
    properties = _contact(chance, number) | _behaviour(chance)
    if properties["plan"] == "trial":
        properties["trial_days_left"] = chance.randint(0, 14)
    return properties


def _contact(chance: Random, number: int) -> dict[str, Any]:
    first, last = chance.choice(names.FIRST), chance.choice(names.LAST)
    mailbox = f"{_mailbox(first)}.{_mailbox(last)}.{number}"
    contact = {
        "$first_name": first,
        "$last_name": last,
        "$name": f"{first} {last}",
        "$email": f"{mailbox}@example.{chance.choice(DOMAINS)}",
        "$timezone": chance.choice(TIMEZONES),
    }
    if chance.random() < PHONES_SHARE:
        contact["$phone"] = f"+1555{chance.randrange(10**7):07d}"
    return contact


def _behaviour(chance: Random) -> dict[str, Any]:
    plan = chance.choices(PLANS, PLAN_WEIGHTS)[0]
    return {
        "plan": plan,
        "sessions_30d": min(int(chance.expovariate(1 / 11)), 120),
        "lifetime_value": round(chance.expovariate(1 / 220), 2) if plan in PAID else 0,
        "newsletter": chance.random() < READERS_SHARE,
        "days_since_seen": min(int(chance.expovariate(1 / 18)), 365),
    }


def _distinct_id(chance: Random, number: int) -> str:
    if chance.random() < UUID_SHARE:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return chance.choice(PLAIN_IDS).format(100_000 + number)


def _mailbox(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in folded.lower() if letter.isalpha())
