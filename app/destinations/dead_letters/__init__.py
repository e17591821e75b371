"""Records that could not be delivered: kept with their reason, found again, sent again or thrown away.

They hold personal data (the record itself), so they stay in Redis: reasons and records never go into a log.
"""

from app.destinations.dead_letters.letter import CODES, Code, DeadLetter, StoredLetter
from app.destinations.dead_letters.store import DeadLetters

__all__ = ["CODES", "Code", "DeadLetter", "DeadLetters", "StoredLetter"]
