"""What happens to a member, shared by all to whom the same happens.

A window names thousands of people and does the same few things to most of them. So what an entry does to a
member is a `Program`, equal ones being one object, and a profile's operations so far are a `History`: a node
that knows where each program leads to. Collapsing and encoding are done once a node instead of once a person.
"""

from collections.abc import Iterable

from app.destinations.profiles.coalesce import fold
from app.destinations.profiles.operations import Op, value_key
from app.destinations.profiles.rounds import Part, parts


class Program:
    """Operations that one entry causes for one member; compared by identity."""

    __slots__ = ("ops",)

    def __init__(self, ops: tuple[Op, ...]) -> None:
        self.ops = ops


class Programs:
    """Keep equal programs as one."""

    def __init__(self) -> None:
        self._known: dict[bytes, Program] = {}

    def of(self, ops: Iterable[Op]) -> Program:
        """Give the program of these operations, none of which may carry a mark."""
        program = Program(tuple(ops))
        key = value_key([(op.kind, op.property, op.value, op.leaving) for op in program.ops])
        return self._known.setdefault(key, program)


class History:
    """One profile's operations within a window, collapsed."""

    __slots__ = ("_parts", "next", "ops")

    def __init__(self, ops: tuple[Op, ...] = ()) -> None:
        self.ops = ops
        self.next: dict[Program, History] = {}
        self._parts: tuple[Part, ...] | None = None

    def then(self, program: Program) -> "History":
        """Give the history after one more program; the same node every time."""
        known = self.next.get(program)
        if known is None:
            known = self.next[program] = self.then_only(program.ops)
        return known

    def then_only(self, ops: Iterable[Op]) -> "History":
        """Give the history after operations that are nobody else's."""
        return History(fold(self.ops, ops))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The records to send, without their heads."""
        if self._parts is None:
            self._parts = parts(self.ops)
        return self._parts
