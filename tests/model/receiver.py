"""What a receiver is to the model, and four receivers that behave as published or obvious ones do.

They are baselines: the error rates of the real engine mean something only beside theirs.
"""

from __future__ import annotations

from typing import Protocol

from tests.model.wire import SentPage


class Receiver(Protocol):
    """Anything that turns arriving pages into the membership of the one cohort."""

    def receive(self, page: SentPage) -> None:
        """Take one page; pages come in order of their arrival."""

    def quiet_until(self, at: float) -> None:
        """Let time pass, up to `at` in seconds, without a page."""

    def members(self) -> frozenset[str]:
        """Who is in the cohort now."""


class PlainSets:
    """Replaces at `members`, page by page; adds and removes at diffs."""

    def __init__(self) -> None:
        self.present: set[str] = set()

    def receive(self, page: SentPage) -> None:
        if page.action == "remove_members":
            self.present.difference_update(page.members)
        elif page.action == "add_members":
            self.present.update(page.members)
        else:
            self.replace(page)

    def replace(self, page: SentPage) -> None:
        self.present = set(page.members)

    def quiet_until(self, at: float) -> None:
        pass

    def members(self) -> frozenset[str]:
        return frozenset(self.present)


class AdditionsOnly(PlainSets):
    """Takes `members` for additions only, so that whoever left in between stays."""

    def replace(self, page: SentPage) -> None:
        self.present.update(page.members)


class EndsByPageNumber(PlainSets):
    """Marks and sweeps, but the round is over when the last page NUMBER comes, retries or not."""

    def __init__(self) -> None:
        super().__init__()
        self.marked: set[str] = set()

    def replace(self, page: SentPage) -> None:
        if page.number == 1:
            self.marked = set()
        self.marked.update(page.members)
        self.present.update(page.members)
        if page.number >= page.total:
            self.present = self.marked
            self.marked = set()


class MarkAndSweep(PlainSets):
    """Marks and sweeps rightly: the round is over when every page of its session has come."""

    def __init__(self) -> None:
        super().__init__()
        self.session = ""
        self.marked: set[str] = set()
        self.pages: set[int] = set()

    def replace(self, page: SentPage) -> None:
        if page.session != self.session:
            self.session, self.marked, self.pages = page.session, set(), set()
        self.marked.update(page.members)
        self.present.update(page.members)
        self.pages.add(page.number)
        if len(self.pages) >= page.total:
            self.present = set(self.marked)
