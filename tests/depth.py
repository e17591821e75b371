"""How many examples property tests try: `TEST_DEPTH=50 make test` tries fifty times as many."""

import os

DEPTH = int(os.environ.get("TEST_DEPTH", "1"))


def examples(usually: int) -> int:
    """Return the number of examples for this run, given that of a usual one."""
    return usually * DEPTH
