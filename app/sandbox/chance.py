"""Chance that repeats: every random choice comes from a seed, so that a run can be played again."""

import random


def seeded(*parts: object) -> random.Random:
    """Return a generator that depends on nothing but the given parts."""
    text = ":".join(str(part) for part in parts)
    return random.Random(text)  # noqa: S311 -- made-up people and injected faults, nothing secret
