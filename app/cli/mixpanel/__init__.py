"""`flask mixpanel ...`: Mixpanel's whole API, derived from the catalog (docs/mixpanel-cli.md).

What is named here is all that `flask --help` loads: families and endpoints become commands when they are
asked for.
"""

from app.cli.mixpanel.lazy import LazyGroup

mixpanel_cli = LazyGroup(
    "mixpanel",
    "app.cli.mixpanel.commands:commands",
    help="Call Mixpanel's API: reports, raw events, pipelines, all of it.",
)
