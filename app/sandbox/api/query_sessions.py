"""The sessions of profile queries: who was found stays so while the pages are read.

How long Mixpanel keeps a session is not documented: `api.query_session_s`.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

KEPT = 100


@dataclass(frozen=True)
class Session:
    """What one query found.

    Attributes:
        session_id: Further pages are asked for with it.
        query: What it was asked; a page of it is asked for with the same.
        distinct_ids: Everybody, in the order of the pages.
        page_size: Entries a page.
        begun_s: The sandbox's time.
    """

    session_id: str
    query: Hashable
    distinct_ids: tuple[str, ...]
    page_size: int
    begun_s: float

    def page(self, number: int) -> tuple[str, ...]:
        """Return who is on a page, from 0; nobody behind the last."""
        return self.distinct_ids[number * self.page_size : (number + 1) * self.page_size]


class Sessions:
    """The last sessions; thread-safe, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def begin(self, query: Hashable, distinct_ids: tuple[str, ...], page_size: int, now_s: float) -> Session:
        """Remember what a query found."""
        session_id = f"{int(now_s)}-{secrets.token_hex(3).upper()}"
        session = Session(session_id, query, distinct_ids, page_size, now_s)
        with self._lock:
            self._sessions[session_id] = session
            while len(self._sessions) > KEPT:
                self._sessions.popitem(last=False)
        return session

    def find(self, session_id: str, query: Hashable, after_s: float) -> Session | None:
        """Return a session that was begun for the same query and after a time; None if there is none."""
        with self._lock:
            session = self._sessions.get(session_id)
        if session is None or session.query != query or session.begun_s <= after_s:
            return None
        return session

    def clear(self) -> None:
        """Forget all, as a Mixpanel that was restarted would."""
        with self._lock:
            self._sessions.clear()
