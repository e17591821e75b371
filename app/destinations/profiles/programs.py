"""What happens to a member, shared by all to whom the same happens.

A window names thousands of people and does the same few things to most of them. So what an entry does to a
member is a `Program`, equal ones being one object, and a profile's operations so far are a `History`: a node
that knows where each program leads to. Collapsing and encoding are done once a node instead of once a person.
Steps that are one person's alone are kept in a list instead, so that a long history takes no more a step than
a short one.
"""

from collections.abc import Iterable
from itertools import chain

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
    """What happened to profiles within a window, step by step; collapsed only where it ends.

    Attributes:
        before: the history that it goes on from, and
        program: the step that it adds; both None at the beginning.
        next: where each program leads to.
    """

    __slots__ = ("_parts", "before", "next", "program")

    def __init__(self, before: "History | None" = None, program: Program | None = None) -> None:
        self.before = before
        self.program = program
        self.next: dict[Program, History] = {}
        self._parts: tuple[Part, ...] | None = None

    def then(self, program: Program) -> "History":
        """Give the history after one more program; the same node every time."""
        known = self.next.get(program)
        if known is None:
            known = self.next[program] = History(self, program)
        return known

    def then_only(self, ops: Iterable[Op]) -> "History":
        """Give the history after operations that are nobody else's."""
        return _Own([*self._all, *ops])

    @property
    def parts(self) -> tuple[Part, ...]:
        """The records to send, without their heads."""
        if self._parts is None:
            self._parts = parts(fold(self._all))
        return self._parts

    @property
    def _all(self) -> Iterable[Op]:
        """All operations, in order."""
        programs: list[Program] = []
        node: History | None = self
        while node is not None:
            if node.program is not None:
                programs.append(node.program)
            node = node.before
        return chain.from_iterable(program.ops for program in reversed(programs))


class _Own(History):
    """The history of one profile alone: it grows where it is."""

    __slots__ = ("_ops",)

    def __init__(self, ops: list[Op]) -> None:
        super().__init__()
        self._ops = ops

    def then(self, program: Program) -> History:
        return self.then_only(program.ops)

    def then_only(self, ops: Iterable[Op]) -> History:
        self._ops.extend(ops)
        self._parts = None
        return self

    @property
    def _all(self) -> Iterable[Op]:
        return self._ops
