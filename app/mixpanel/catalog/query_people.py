"""Family `query`: people. Cohorts, profiles, what somebody did, and queries in JavaScript (JQL).

Source: `query.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import FROM_DATE, PROJECT_ID, TO_DATE, WORKSPACE_ID, docs, form, query
from app.mixpanel.catalog.query_reports import report
from app.mixpanel.catalog.row import Body, Endpoint

_OPTIONAL_FORM: Final = Body("form", required=False)

_ACTIVITY = report(
    "activity",
    path="/stream/query",
    summary="List what some users did, event by event",
    docs=docs("activity-stream-query"),
    operation="activity-stream-query",
    cache_s=None,  # events of single persons are not kept
    retired='Mixpanel keeps it as it is ("maintenance mode")',
    parameters=(
        PROJECT_ID,
        WORKSPACE_ID,
        query("distinct_ids", "string", "Whose, a JSON array of ids.", required=True, encoded=True),
        FROM_DATE,
        TO_DATE,
    ),
)

_COHORTS = report(
    "cohorts",
    method="POST",
    path="/cohorts/list",
    summary="List the saved cohorts with their ids, names and counts",
    docs=docs("cohorts-list"),
    operation="cohorts-list",
    parameters=(PROJECT_ID, WORKSPACE_ID),
)

_PROFILES = report(
    "profiles",
    method="POST",
    path="/engage",
    summary="Find the profiles of users or groups, page by page",
    docs=docs("engage-query"),
    operation="engage-query",
    cache_s=None,  # profiles of persons are not kept
    body=_OPTIONAL_FORM,
    parameters=(
        PROJECT_ID,
        WORKSPACE_ID,
        form("distinct_id", "string", "One profile, by its id."),
        form("distinct_ids", "string", "Some profiles, a JSON array of ids.", encoded=True),
        form("data_group_id", "string", "Id of the group key, to find groups instead of users."),
        form("where", "string", "Expression that profiles have to fulfil."),
        form(
            "output_properties",
            "array",
            "Only these properties, a JSON array of names: much faster, much smaller.",
            items="string",
            encoded=True,
        ),
        form("session_id", "string", "As page 0 gave it; needed for every further page."),
        form("page", "integer", "From 0; a page shorter than `page_size` is the last."),
        form(
            "behaviors",
            "array",
            "What users did, a JSON array of selectors for `where`; not with `filter_by_cohort`.",
            items="object",
            encoded=True,
        ),
        form("as_of_timestamp", "integer", "Needed with `behaviors` for more than 1,000 profiles."),
        form(
            "filter_by_cohort",
            "string",
            'A cohort\'s members: `{"id": 12345}`; not with `behaviors`.',
            encoded=True,
        ),
        form("include_all_users", "boolean", "With a cohort: ids without a profile too, unless false."),
    ),
)

_JQL = report(
    "jql",
    method="POST",
    path="/jql",
    summary="Run a script of JQL, Mixpanel's own JavaScript",
    docs=docs("query-jql"),
    operation="query-jql",
    body=_OPTIONAL_FORM,
    parameters=(
        PROJECT_ID,
        WORKSPACE_ID,
        form("script", "string", "The script; its function `main` gives the answer.", required=True),
        form(
            "params",
            "string",
            "What the script sees as `params`, a JSON object.",
            format="blob",
            encoded=True,
        ),
    ),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (_ACTIVITY, _COHORTS, _PROFILES, _JQL)
