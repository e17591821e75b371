"""Cut an expression into tokens. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

MOST_CHARS = 10_000
SPACE = re.compile(r"\s*")
TOKEN = re.compile(
    r"""(?P<number>\d+(?:\.\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<sign>==|!=|>=|<=|[-+*/%<>()\[\]])""",
    re.VERBOSE,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
Kind = Literal["number", "text", "word", "sign", "end"]


class ExpressionError(Exception):
    """The expression is none, or one that this sandbox does not know to answer; the message says where."""


@dataclass(frozen=True)
class Token:
    """A piece of an expression.

    Attributes:
        kind: What it is.
        said: As it stands there; of a text, what is between the quotes.
        at: Its place, in characters.
    """

    kind: Kind
    said: str
    at: int


def cut(source: str) -> list[Token]:
    """Return the tokens of an expression; the last one says that it ends.

    Raises:
        ExpressionError: Something in it is no token.
    """
    if len(source) > MOST_CHARS:
        raise ExpressionError(f"longer than {MOST_CHARS} characters")
    found, at = list[Token](), _behind_space(source, 0)
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(f"cannot be read at character {at + 1}")
        found.append(_token(match))
        at = _behind_space(source, match.end())
    return [*found, Token("end", "", len(source))]


def _token(match: re.Match[str]) -> Token:
    said = match.group()
    if match.lastgroup == "text":
        return Token("text", ESCAPED.sub(r"\1", said[1:-1]), match.start())
    kind: Kind = "number" if match.lastgroup == "number" else "word" if match.lastgroup == "word" else "sign"
    return Token(kind, said, match.start())


def _behind_space(source: str, at: int) -> int:
    found = SPACE.match(source, at)
    return at if found is None else found.end()
