"""The body of a page, as documented at https://docs.mixpanel.com/docs/cohort-sync/webhooks."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.sandbox.sender.plan import Page
from app.sandbox.store.cohorts import Cohort
from app.sandbox.store.profiles import Properties

ALWAYS = {"email": "$email", "first_name": "$first_name", "last_name": "$last_name"}


def render(
    page: Page,
    cohort: Cohort,
    project_id: str,
    profiles: Mapping[str, Properties],
    exported: Sequence[str],
    *,
    numeric_ids: bool = False,
) -> bytes:
    """Return the JSON body of a page; who has no profile (any more) has null for everything but the id."""
    project: str | int = int(project_id) if numeric_ids and project_id.isdecimal() else project_id
    parameters = {
        "mixpanel_project_id": project,
        "mixpanel_cohort_id": cohort.cohort_id if numeric_ids else str(cohort.cohort_id),
        "mixpanel_cohort_name": cohort.name,
        "mixpanel_cohort_description": cohort.description,
        "mixpanel_session_id": page.session_id,
        "page_info": {"total_pages": page.total, "page_count": page.number},
        "members": [member(one, profiles.get(one, {}), exported) for one in page.distinct_ids],
    }
    return orjson.dumps({"action": page.action, "parameters": parameters})


def member(distinct_id: str, properties: Properties, exported: Sequence[str]) -> dict[str, Any]:
    """Return a member: the id, e-mail and names always, and the exported properties that the profile has."""
    always = {name: properties.get(source) for name, source in ALWAYS.items()}
    further = {name: properties[name] for name in exported if name in properties}
    return {"mixpanel_distinct_id": distinct_id, **always, **further}
