"""What links make of ids, said in the plainest way: sets that are joined. No cap, no encoding, no waves."""

from collections.abc import Iterable


class Sets:
    """Union-find without the finesse: every id knows the whole set that it is in."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def of(self, node: str) -> frozenset[str]:
        return frozenset(self._of.get(node, {node}))

    def join(self, first: str, second: str) -> None:
        joined = self.of(first) | self.of(second)
        together = set(joined)
        for node in joined:
            self._of[node] = together

    def all(self) -> set[frozenset[str]]:
        return {frozenset(each) for each in self._of.values()}

    @classmethod
    def joining(cls, pairs: Iterable[tuple[str, str]]) -> "Sets":
        sets = cls()
        for first, second in pairs:
            sets.join(first, second)
        return sets
