"""The ids that Mixpanel refuses as `distinct_id` and `$insert_id`.

They come from broken tracking code ("no user" written as text), so a profile under one of them would be a
heap of strangers. Source: Mixpanel's ingestion documentation. It states no folding of case, and ids are
case-sensitive there, so "Anonymous" is somebody's id until Mixpanel refuses it: a record refused there is
dead-lettered with its reason, while a person wrongly left out here would go unnoticed.
"""

from typing import Final

REFUSED_IDS: Final = frozenset(
    {
        "00000000-0000-0000-0000-000000000000",
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "<nil>",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
    }
)


def is_refused_id(distinct_id: str) -> bool:
    """Tell whether Mixpanel refuses every record about this id."""
    return distinct_id in REFUSED_IDS
