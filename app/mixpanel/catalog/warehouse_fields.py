"""What an import from a warehouse consists of.

Source: `warehouse-connectors.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import field
from app.mixpanel.catalog.row import Parameter

_null = partial(field, nullable=True)

_AUTOSCALE = (
    field("min_workers", "integer", "Least workers.", minimum=0),
    field("max_workers", "integer", "Most workers.", minimum=1),
)

_CLUSTER = (
    field("spark_version", "string", "Version of Spark, such as `15.4.x-scala2.12`."),
    field("node_type_id", "string", "Kind of the workers' machines."),
    _null("driver_node_type_id", "string", "Kind of the driver's machine; as the workers' unless given."),
    field("num_workers", "integer", "Number of workers.", minimum=0),
    _null("autoscale", "object", "Number of workers as it is needed, instead.", fields=_AUTOSCALE),
    _null("spark_conf", "object", "Settings of Spark, by name."),
    _null("spark_env_vars", "object", "Environment variables, by name."),
    _null(
        "data_security_mode",
        "string",
        "How the cluster keeps data apart.",
        enum=(
            "USER_ISOLATION",
            "SINGLE_USER",
            "NONE",
            "LEGACY_TABLE_ACL",
            "LEGACY_PASSTHROUGH",
            "LEGACY_SINGLE_USER",
            "LEGACY_SINGLE_USER_STANDARD",
        ),
    ),
    _null("single_user_name", "string", "The user; needed for `SINGLE_USER`."),
    _null("custom_tags", "object", "Tags, by name."),
    _null("policy_id", "string", "Id of the cluster's policy."),
    _null("instance_pool_id", "string", "Id of the workers' pool."),
    _null("driver_instance_pool_id", "string", "Id of the driver's pool."),
    _null("enable_elastic_disk", "boolean", "Whether disks grow."),
    _null("runtime_engine", "string", "The engine.", enum=("STANDARD", "PHOTON")),
    _null("aws_attributes", "object", "What only AWS understands."),
    _null("azure_attributes", "object", "What only Azure understands."),
    _null("gcp_attributes", "object", "What only Google Cloud understands."),
    _null("init_scripts", "array", "Scripts that a node begins with.", items="object"),
)

DATABRICKS: Final = _null(
    "databricks_params",
    "object",
    "For Databricks.",
    fields=(_null("export_cluster_config", "object", "The cluster that exports.", fields=_CLUSTER),),
)

EVERY: Final = field(
    "run_every",
    "integer",
    "Nanoseconds between runs: an hour, a day, a week; 0: only when it is told to.",
    enum=(0, 3_600_000_000_000, 86_400_000_000_000, 604_800_000_000_000),
)

_HOW: Final = "How it is kept up to date."
MODE: Final = field(
    "sync_mode",
    "string",
    _HOW,
    required=True,
    enum=("time_based", "mirror_mode", "full_sync", "one_time"),
)
TABLE_MODE: Final = field("sync_mode", "string", _HOW, required=True, enum=("full_sync", "one_time"))

INSERTED: Final = _null("insert_time_column_name", "string", "Column with the time a row was written.")
PROPERTIES: Final = _null("json_properties_column_name", "string", "Column with properties as JSON.")
MAPPINGS: Final = _null("property_mappings", "object", "Names of properties, by column.")


def source(kind: str) -> tuple[Parameter, ...]:
    """Describe what every import begins with.

    Args:
        kind: The one `import_type` that the endpoint takes.
    """
    return (
        field("import_type", "string", "What is imported.", required=True, enum=(kind,)),
        field("warehouse_source_id", "integer", "Id of the warehouse.", required=True),
        field("table_params", "object", "Where the table is; by kind of warehouse.", required=True),
    )
