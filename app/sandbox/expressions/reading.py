"""Read an expression, as in `where` and `on`. Pure.

Known is the published grammar (https://developer.mixpanel.com/reference/segmentation-expressions):
properties, literals, `+ - * / %`, comparisons, `in`, `and or not`, `floor round ceil`, `number string
boolean`; and `defined(...)`, and `behaviors["..."]` where behaviors were given. Everything else is refused by
name: an answer that left part of an expression out would be a wrong one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.sandbox.expressions.operators import BINARY, FUNCTIONS, boolean, is_number
from app.sandbox.expressions.tokens import ExpressionError, Token, cut

Scope = Mapping[str, Mapping[str, Any]]
Expression = Callable[[Scope], Any]
DEEPEST = 50
COMPARING = ("==", "!=", "<=", ">=", "<", ">", "in")
LITERALS = {"true": True, "false": False}


def read(source: str, scopes: tuple[str, ...] = ("properties",)) -> Expression:
    """Return what computes an expression's value.

    Args:
        source: The expression.
        scopes: Names that may be indexed, such as `properties`.

    Raises:
        ExpressionError: It cannot be read, or uses what is not known here.
    """
    reader = _Reader(cut(source), scopes)
    found = reader.either()
    reader.expect_end()
    return found


def read_condition(source: str | None, scopes: tuple[str, ...] = ("properties",)) -> Callable[[Scope], bool]:
    """Return what tells whether an expression holds; without one, everything does."""
    if not source:
        return lambda _scope: True
    found = read(source, scopes)
    return lambda scope: boolean(found(scope))


class _Reader:
    """Reads one expression, from the operators that bind least to those that bind most."""

    def __init__(self, tokens: list[Token], scopes: tuple[str, ...]) -> None:
        self._tokens = tokens
        self._scopes = scopes
        self._at = 0
        self._depth = 0

    def either(self) -> Expression:
        found = self._both()
        while self._takes("word", "or"):
            found = _or(found, self._both())
        return found

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unknown()

    def _both(self) -> Expression:
        found = self._denied()
        while self._takes("word", "and"):
            found = _and(found, self._denied())
        return found

    def _denied(self) -> Expression:
        self._deeper()
        if self._takes("word", "not"):
            denied = self._denied()
            self._depth -= 1
            return lambda scope: not boolean(denied(scope))
        found = self._compared()
        self._depth -= 1
        return found

    def _compared(self) -> Expression:
        left = self._summed()
        sign = self._one_of(*COMPARING)
        return left if sign is None else _binary(sign, left, self._summed())

    def _summed(self) -> Expression:
        found = self._multiplied()
        while sign := self._one_of("+", "-"):
            found = _binary(sign, found, self._multiplied())
        return found

    def _multiplied(self) -> Expression:
        found = self._signed()
        while sign := self._one_of("*", "/", "%"):
            found = _binary(sign, found, self._signed())
        return found

    def _signed(self) -> Expression:
        if not self._takes("sign", "-"):
            return self._single()
        self._deeper()
        negated = self._signed()
        self._depth -= 1
        return lambda scope: _negative(negated(scope))

    def _single(self) -> Expression:
        token = self._next
        if self._takes("sign", "("):
            found = self.either()
            self._expect(")")
            return found
        if token.kind in {"number", "text"}:
            self._at += 1
            value: Any = token.said if token.kind == "text" else _literal(token.said)
            return lambda _scope: value
        if token.kind == "word":
            self._at += 1
            return self._named(token)
        raise self._unknown()

    def _named(self, token: Token) -> Expression:
        if token.said in LITERALS:
            value = LITERALS[token.said]
            return lambda _scope: value
        if token.said in FUNCTIONS:
            compute = FUNCTIONS[token.said]
            self._expect("(")
            argument = self.either()
            self._expect(")")
            return lambda scope: compute(argument(scope))
        if token.said in self._scopes:
            return self._property(token.said)
        raise ExpressionError(f"this sandbox does not know {token.said!r} (at character {token.at + 1})")

    def _property(self, scope_name: str) -> Expression:
        self._expect("[")
        name = self._next
        if name.kind != "text":
            raise self._unknown()
        self._at += 1
        self._expect("]")
        return lambda scope: scope.get(scope_name, {}).get(name.said)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _takes(self, kind: str, said: str) -> bool:
        found = self._next.kind == kind and self._next.said == said
        self._at += found
        return found

    def _one_of(self, *signs: str) -> str | None:
        token = self._next
        if token.kind not in {"sign", "word"} or token.said not in signs:
            return None
        self._at += 1
        return token.said

    def _expect(self, sign: str) -> None:
        if not self._takes("sign", sign):
            raise ExpressionError(f"{sign!r} is missing at character {self._next.at + 1}")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"nested more than {DEEPEST} deep")

    def _unknown(self) -> ExpressionError:
        token = self._next
        what = "it ends too early" if token.kind == "end" else f"{token.said!r} cannot stand"
        return ExpressionError(f"{what} at character {token.at + 1}")


def _or(left: Expression, right: Expression) -> Expression:
    return lambda scope: boolean(left(scope)) or boolean(right(scope))


def _and(left: Expression, right: Expression) -> Expression:
    return lambda scope: boolean(left(scope)) and boolean(right(scope))


def _binary(sign: str, left: Expression, right: Expression) -> Expression:
    compute = BINARY[sign]
    return lambda scope: compute(left(scope), right(scope))


def _negative(value: Any) -> Any:
    return -value if is_number(value) else None


def _literal(said: str) -> float:
    return float(said) if "." in said else int(said)
