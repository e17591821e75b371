"""What makes somebody a member: conditions over profile properties, and how churn meets or breaks one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

OPERATORS = ("equals", "at_least", "at_most")
SPREAD = 20  # how far beyond a bound churn moves a number at most


class InvalidConditionError(ValueError):
    """A condition that cannot be evaluated."""


@dataclass(frozen=True)
class Condition:
    """`property operator value`, for example `sessions_30d at_least 20`."""

    property: str
    operator: str
    value: Any

    def __post_init__(self) -> None:
        if not self.property or '"' in self.property or "\\" in self.property:
            raise InvalidConditionError("property: a name without quotes and backslashes")
        if self.operator not in OPERATORS:
            raise InvalidConditionError(f"operator: one of {', '.join(OPERATORS)}")
        numeric = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if self.operator == "equals" and not isinstance(self.value, str | int | float):
            raise InvalidConditionError("value: a string, a number, true or false")
        if self.operator != "equals" and not numeric:
            raise InvalidConditionError(f"value: {self.operator} needs a number")

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> "Condition":
        """Read a condition from its JSON form.

        Raises:
            InvalidConditionError: A part is missing or of the wrong type.
        """
        try:
            return cls(str(item["property"]), str(item["operator"]), item["value"])
        except (KeyError, TypeError) as err:
            raise InvalidConditionError("a condition is {property, operator, value}") from err

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    def meeting(self, chance: Random) -> Any:
        """Return a value of the property that meets the condition."""
        if self.operator == "equals":
            return self.value
        distance = chance.randint(0, SPREAD)
        return (
            self.value + distance
            if self.operator == "at_least"
            else self.value - min(distance, max(self.value, 0))
        )

    def breaking(self, chance: Random) -> Any:
        """Return a value of the property that does not meet the condition."""
        if self.operator == "equals":
            return (not self.value) if isinstance(self.value, bool) else None
        distance = chance.randint(1, SPREAD)
        return self.value - distance if self.operator == "at_least" else self.value + distance


def to_sql(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    """Return an SQL condition over `profiles` that holds where all the given hold, and its parameters."""
    parts, parameters = ["1"], list[Any]()
    for condition in conditions:
        path = f'$."{condition.property}"'
        if condition.operator == "equals":
            parts.append("json_extract(properties, ?) = ?")
            parameters += [path, condition.value]
            continue
        sign = ">=" if condition.operator == "at_least" else "<="
        parts.append(
            f"json_type(properties, ?) IN ('integer', 'real') AND json_extract(properties, ?) {sign} ?"
        )
        parameters += [path, path, condition.value]
    return " AND ".join(parts), parameters
