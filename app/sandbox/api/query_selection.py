"""Choose people by an expression over their profiles, and over what they did."""

from app.sandbox.api.behaviors import BadBehaviorsError, counted, read_behaviors
from app.sandbox.api.query_form import BadQueryError, Wanted
from app.sandbox.expressions.reading import read_condition
from app.sandbox.expressions.tokens import ExpressionError
from app.sandbox.store.events import Events
from app.sandbox.store.profiles import Profiles


def chosen(found: set[str], wanted: Wanted, profiles: Profiles, events: Events, now_s: float) -> set[str]:
    """Return those of the people found whom `where` holds for.

    Raises:
        BadQueryError: `where` or `behaviors` cannot be evaluated here.
    """
    if wanted.where is None and wanted.behaviors is None:
        return found
    try:
        holds = read_condition(wanted.where, ("properties", "behaviors"))
        behaviors = read_behaviors(wanted.behaviors) if wanted.behaviors else ()
        until_ms = int((now_s if wanted.as_of_s is None else wanted.as_of_s) * 1000)
        seen = counted(behaviors, events, until_ms)
    except ExpressionError as err:
        raise BadQueryError(f"where: {err}") from err
    except BadBehaviorsError as err:
        raise BadQueryError(f"behaviors: {err}") from err
    never = dict.fromkeys((one.name for one in behaviors), 0)
    known = profiles.properties(sorted(found))
    return {
        one
        for one in found
        if holds({"properties": known.get(one, {}), "behaviors": never | dict(seen.get(one, {}))})
    }
