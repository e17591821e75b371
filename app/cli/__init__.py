"""The `flask` commands. Each is an AppGroup or a command of its own module, and stands in this list."""

from typing import Final

# "module:name"; imported when `flask` runs, so that nothing else of the product depends on a command.
COMMANDS: Final = (
    "app.cli.audit:audit_cli",
    "app.cli.cohorts:cohorts_cli",
    "app.cli.config:config_cli",
    "app.cli.consumers:consumers_cli",
    "app.cli.dead_letters:dead_letters_cli",
    "app.cli.destinations:destinations_cli",
    "app.cli.doctor:doctor",
    "app.cli.drift:drift_cli",
    "app.cli.holds:holds_cli",
    "app.cli.members:members_cli",
    "app.cli.mixpanel:mixpanel_cli",
    "app.cli.projects:projects_cli",
    "app.cli.people:people_cli",
    "app.cli.quarantine:quarantine_cli",
    "app.cli.resyncs:resyncs_cli",
    "app.cli.rules:rules_cli",
    "app.cli.sandbox:sandbox_cli",
    "app.cli.state:state_cli",
    "app.cli.status:status",
    "app.cli.subscriptions:subscriptions_cli",
    "app.cli.tokens:tokens_cli",
)
