"""Checking the `links` of a rule, alone and against the project's identity system."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from config.checking import Problems, nested, text_check, text_problems
from config.document import Path
from config.links import KEYS, VERBS, IdManagement, LinkRule, Verb
from config.templates import names_used

_FORMS: Final = "user_id and device_id; identified_id and anon_id; distinct_id and alias; merge"
_CHECK: Final = text_check(members=True)
# Placeholders that are the same for all members of a sync, or others at every sync.
_OF_NOBODY: Final = frozenset({"project_id", "cohort_id", "cohort_name"})
_OF_A_MOMENT: Final = frozenset({"session_id", "time"})


class Links(fields.Field[tuple[LinkRule, ...]]):
    """A list of links, each an object of two ids."""

    default_error_messages = {"null": "is empty"}  # noqa: RUF012  (marshmallow's own way to declare them)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> tuple[LinkRule, ...]:
        del attr, data
        found = list(_problems(value))
        if found:
            raise ValidationError(nested(found))
        return tuple(_link(link) for link in value)


def verb_of(link: Any) -> Verb | None:
    """Say which verb a link is written for, by its keys; None where it is written for none."""
    if not isinstance(link, dict):
        return None
    keys = link.keys() - {"allow_merge"}
    return next((verb for verb, known in KEYS.items() if keys == set(known)), None)


def system_problems(rules: Any, id_management: IdManagement, *, service_account: bool) -> Problems:
    """Find links that a project cannot make, in its rules as they are written (whatever they are).

    Args:
        rules: what stands under `rules`.
        id_management: the project's identity system.
        service_account: whether the project has one.
    """
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        links = rule.get("links") if isinstance(rule, dict) else None
        for place, link in enumerate(links if isinstance(links, list) else ()):
            path: Path = ("rules", number, "links", place)
            verb = verb_of(link)
            if verb is not None and verb not in VERBS[id_management]:
                yield path, _not_known(verb, id_management)
            elif verb == "merge" and not service_account:
                yield path, "needs the project's service_account: Mixpanel takes a merge from no other"


def _not_known(verb: Verb, id_management: IdManagement) -> str:
    usable = "; ".join(" and ".join(KEYS[one]) for one in KEYS if one in VERBS[id_management])
    return (
        f"a project with id_management {id_management} cannot make this link "
        f"({' and '.join(KEYS[verb])}); it knows {usable}"
    )


def _link(link: dict[str, Any]) -> LinkRule:
    verb = verb_of(link)
    assert verb is not None  # _problems found none
    if verb == "merge":
        first, second = link["merge"]
        return LinkRule(verb, first, second, allow_merge=True)
    first, second = (link[key] for key in KEYS[verb])
    return LinkRule(verb, first, second)


def _problems(value: Any) -> Problems:
    if not isinstance(value, list):
        yield (), "must be a list of links"
    elif not value:
        yield (), "is empty"
    else:
        for index, link in enumerate(value):
            yield from _link_problems((index,), link)


def _link_problems(path: Path, link: Any) -> Problems:
    verb = verb_of(link)
    if verb is None:
        yield path, f"must be an object that names two ids: {_FORMS}"
    elif verb == "merge":
        yield from _merge_problems(path, link)
    elif "allow_merge" in link:
        yield (*path, "allow_merge"), "unknown field; it belongs to merge only"
    else:
        ids = [((*path, key), link[key]) for key in KEYS[verb]]
        yield from _ids_problems(path, ids)


def _merge_problems(path: Path, link: dict[str, Any]) -> Problems:
    if link.get("allow_merge") is not True:
        yield (
            (*path, "allow_merge"),
            "must be true: a merge cannot be undone, so somebody has to have said that it is meant",
        )
    ids = link["merge"]
    if not isinstance(ids, list) or len(ids) != 2:  # noqa: PLR2004 - the two that are merged
        yield (*path, "merge"), "must be a list of exactly two ids"
        return
    yield from _ids_problems(path, [((*path, "merge", at), one) for at, one in enumerate(ids)])


def _ids_problems(path: Path, ids: list[tuple[Path, Any]]) -> Problems:
    found = [problem for at, one in ids for problem in _id_problems(at, one)]
    yield from found
    if not found and ids[0][1] == ids[1][1]:
        yield path, "links an id with itself"


def _id_problems(path: Path, one: Any) -> Problems:
    if not isinstance(one, str) or not one.strip():
        yield path, "an id must be text (in quotes)"
        return
    wrong = list(text_problems(path, one, _CHECK))
    yield from wrong
    if not wrong:
        yield from _difference_problems(path, names_used(one))


def _difference_problems(path: Path, names: frozenset[str]) -> Problems:
    if names & _OF_A_MOMENT:
        yield path, "would be another id at every sync: it cannot hold {session_id} or {time}"
    elif not names - _OF_NOBODY:
        yield (
            path,
            "would be one id for everybody, and make one person of all: use {distinct_id} or {member[...]}",
        )
