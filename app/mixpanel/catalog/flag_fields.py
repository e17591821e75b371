"""What a feature flag consists of.

Source: `feature-flags-management.openapi.yaml`, schema `FeatureFlagRequest`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import field
from app.mixpanel.catalog.row import Parameter

_VARIANT = (
    field("key", "string", "Its name.", required=True),
    field("value", "any", "What the program gets.", required=True),
    field("description", "string", "What it is.", nullable=True),
    field("is_control", "boolean", "Whether the others are compared with it.", required=True),
    field("split", "number", "Its share.", required=True, minimum=0, maximum=1),
    field("is_sticky", "boolean", "Whoever had it keeps it.", default=False),
)

_EVENT_RULE = (
    field("event_name", "string", "The event.", required=True),
    field("time_window", "string", "When it counts.", required=True, enum=("while_flag_enabled",)),
    field("duration", "string", "How long it holds.", enum=("end_of_session", "indefinitely"), nullable=True),
    field("property_filters", "object", "What the event has to say.", nullable=True),
)

_ROLLOUT = (
    field("name", "string", "Its name.", nullable=True),
    field("cohort_definition", "object", "Who is meant.", nullable=True),
    field("runtime_evaluation_definition", "object", "Old form of the next.", nullable=True),
    field("runtime_evaluation_rule", "object", "JsonLogic over the context.", nullable=True),
    field("runtime_event_rule", "object", "From a first event on.", nullable=True, fields=_EVENT_RULE),
    field("cohort_hash", "string", "Digest of the cohort.", nullable=True),
    field("rollout_percentage", "number", "Share of those meant.", required=True, minimum=0, maximum=1),
    field(
        "variant_override",
        "object",
        "The variant that all of them get.",
        nullable=True,
        fields=(field("key", "string", "Name of the variant.", required=True),),
    ),
    field("variant_splits", "object", "Share of each variant, by name.", required=True),
)

FLAG: Final[tuple[Parameter, ...]] = (
    field("name", "string", "Name for people.", required=True, min_length=1, max_length=255),
    field("key", "string", "Name for programs.", required=True, min_length=1, max_length=255),
    field("description", "string", "What it is.", nullable=True),
    field("tags", "array", "Tags to find it by.", required=True, items="string"),
    field("experiment_id", "string", "Its experiment.", format="uuid4", nullable=True),
    field(
        "status",
        "string",
        "How it stands.",
        default="disabled",
        enum=("enabled", "disabled", "archived"),
    ),
    field(
        "context",
        "string",
        "What it is drawn by, such as `distinct_id`.",
        required=True,
        min_length=1,
        max_length=255,
    ),
    field("data_group_id", "any", "The group key, where groups are drawn.", nullable=True),
    field(
        "serving_method",
        "string",
        "Where it is evaluated.",
        required=True,
        enum=("client", "server", "remote_or_local", "remote_only"),
    ),
    field(
        "ruleset",
        "object",
        "Who gets what.",
        required=True,
        fields=(
            field(
                "variants",
                "array",
                "The variants.",
                required=True,
                items="object",
                max_items=11,
                fields=_VARIANT,
            ),
            field("rollout", "array", "Who is meant.", required=True, items="object", fields=_ROLLOUT),
            field("test", "object", "Variants of testers.", nullable=True),
        ),
    ),
    field("workspace_id", "integer", "The workspace.", nullable=True),
    field("is_experiment_active", "boolean", "Whether its experiment runs.", nullable=True),
    field("hash_salt", "string", "What lots are drawn with.", nullable=True, min_length=32, max_length=32),
    field("reset_hash_salt", "boolean", "Draw lots anew: people change their variant.", nullable=True),
)
