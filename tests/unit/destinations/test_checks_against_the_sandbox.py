"""What a service may hand in, the sandbox takes: records at the edges of every limit, of every kind."""

from typing import Any, Final

import orjson
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.destinations.checks.events import EventCheck
from app.destinations.checks.invalid import Check, Invalid
from app.destinations.checks.links import LinkCheck
from app.destinations.checks.updates import check_group, check_profile
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from app.destinations.identity.records import record as record_of
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.update_limits import GROUP_KINDS, PROFILE_KINDS
from app.sandbox.api.event_records import EventRules, check_event
from app.sandbox.api.records import check_group_record, check_record, check_size
from app.sandbox.config import Limits
from config.links import IdManagement
from config.projects import HOSTS, Project
from config.secret import Secret

NOW_MS: Final = 1_800_000_000_000
LIMITS: Final = Limits()
PROJECT: Final = Project("7", "Shop", "eu", Secret("token"), HOSTS["eu"], ())
UUID: Final = "29fc2962-6d9c-455d-95ad-95b84f09b9e4"
SYSTEMS: Final[tuple[IdManagement, ...]] = ("simplified", "original", "legacy")
borderline = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def around(most: int, *letters: str) -> st.SearchStrategy[Any]:
    """Texts of about so many characters or bytes, with and without a device's prefix."""
    lengths = st.sampled_from(
        sorted({most // size + more for size in (1, 2, 4) for more in (-9, -8, -1, 0, 1)})
    )
    body = st.builds(lambda letter, length: letter * length, st.sampled_from(letters or "aé😀"), lengths)
    return st.builds(str.__add__, st.sampled_from(("", "", "$device:")), body)


ids: Final = (
    around(255)
    | st.sampled_from(("", " ", "a", "b", UUID, *sorted(REFUSED_IDS)))
    | st.sampled_from((None, 5, True))
)
names: Final = st.sampled_from(("", " ", "a", "x" * 255, "x" * 256, "é" * 255, "😀" * 256))
numbers: Final = st.sampled_from((0, -1, 2**53, 2**63, 2**64 - 1, 1.5, 1e308))
plain: Final = numbers | st.none() | st.booleans() | names
lists: Final = st.sampled_from(([], ["a"], [1, "a"], [None], [[]], [0] * 254, [0] * 255, [True]))
deep: Final = st.sampled_from(
    ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": {}}}}, [[[[1]]]], {str(key): 1 for key in range(255)}, {})
)
values: Final = plain | lists | deep
bodies: Final = (
    st.dictionaries(names, values, max_size=3)
    | st.lists(names | values, max_size=3)
    | st.sampled_from(({str(key): 1 for key in range(2000)}, {str(key): 1 for key in range(2001)}))
    | values
)
times: Final = st.sampled_from(
    (
        *(NOW_MS, NOW_MS + 1, NOW_MS + 3_600_000, NOW_MS + 3_600_001, NOW_MS // 1000),
        *(31_535_999, 31_536_000, 31_535_999_999, 31_536_000_000, 1.7e9, 1.5, "1", None, True),
    )
)
properties: Final = st.fixed_dictionaries(
    {},
    optional={
        "distinct_id": ids,
        "time": times,
        "$insert_id": ids | around(36, "a", "-"),
        "$user_id": ids,
        "$device_id": ids,
        "a": values,
        "b": values,
    },
)
about: Final = st.builds(
    lambda name, one: {name: one}, st.sampled_from(("distinct_id", "$user_id", "$device_id")), ids
)
many: Final = st.integers(248, 255).map(
    lambda number: {"distinct_id": "a", **{str(n): n for n in range(number)}}
)


def accepted(check: Check, record: Any) -> bytes | None:
    """Return what is kept of a record that is handed in; None where it is refused."""
    try:
        found = check(orjson.loads(orjson.dumps(record)))
    except Invalid as wrong:
        event(wrong.code)
        return None
    event("accepted")
    return found


@borderline
@given(st.just("A") | names, properties | about | many, st.sampled_from(SYSTEMS))
def test_an_event_that_is_taken_in_is_one_to_the_sandbox(
    name: Any, given_properties: dict[str, Any], system: IdManagement
) -> None:
    check = EventCheck(system, NOW_MS, None, "", "cohort-relay")
    kept = accepted(check, {"event": name, "properties": given_properties})
    if kept is not None:
        check_event(orjson.loads(kept), EventRules("import", system, LIMITS, NOW_MS))
        check_size(orjson.loads(kept), LIMITS)


@borderline
@given(around(255) | ids, st.sampled_from(PROFILE_KINDS), bodies)
def test_an_update_of_a_profile_that_is_taken_in_is_one_to_the_sandbox(
    distinct_id: Any, kind: str, body: Any
) -> None:
    kept = accepted(check_profile, {"$distinct_id": distinct_id, kind: body})
    if kept is not None:
        check_record({**orjson.loads(kept), "$token": "t"}, LIMITS, ip=False)


@borderline
@given(ids, ids, st.sampled_from(GROUP_KINDS), bodies)
def test_an_update_of_a_group_that_is_taken_in_is_one_to_the_sandbox(
    key: Any, group_id: Any, kind: str, body: Any
) -> None:
    kept = accepted(check_group, {"$group_key": key, "$group_id": group_id, kind: body})
    if kept is not None:
        check_group_record({**orjson.loads(kept), "$token": "t"}, LIMITS, ip=False)


@borderline
@given(around(255) | ids, st.just("b") | ids, st.sampled_from(SYSTEMS), st.data())
def test_a_link_that_is_taken_in_is_one_to_the_sandbox(
    first: Any, second: Any, system: IdManagement, data: st.DataObject
) -> None:
    forms = (
        {"user_id": first, "device_id": second},
        {"identified_id": first, "anon_id": second},
        {"identified_id": first, "anon_id": UUID},
        {"distinct_id": first, "alias": second},
        {"merge": [first, second], "allow_merge": True},
    )
    check = LinkCheck(System(system, service_account=True), NOW_MS, "token")
    kept = accepted(check, data.draw(st.sampled_from(forms)))
    if kept is not None:
        sent = orjson.loads(record_of(Link.from_json(kept), PROJECT))
        check_event(sent, EventRules("import", system, LIMITS, NOW_MS))
