"""Make one profile of two, when two people turn out to be one. Pure.

Not documented, decided here: of each property the value of the profile that was updated last stays, and lists
are united. So a person who was in one cohort under one id and in another under the other is in both.
"""

from app.sandbox.api.operations import same
from app.sandbox.store.profiles import Profile, Properties


def merged(kept: Profile, gone: Profile) -> Properties:
    """Return the properties of a person of whom two profiles were known.

    Args:
        kept: The profile under the id that stands for the person from now on; it wins a tie.
        gone: The other.
    """
    older, newer = (gone, kept) if kept.updated_ms >= gone.updated_ms else (kept, gone)
    properties = {**older.properties, **newer.properties}
    for name, value in newer.properties.items():
        before = older.properties.get(name)
        if isinstance(value, list) and isinstance(before, list):
            properties[name] = [*before, *(one for one in value if not any(same(one, old) for old in before))]
    return properties
