"""What a data pipeline consists of, by its type.

Source: `data-pipelines.openapi.yaml`, the schemas below `create-warehouse-pipeline`.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import DAY, form
from app.mixpanel.catalog.row import Parameter

_needed = partial(form, required=True)

PROJECT: Final = form("project_id", "number", "The project; with a service account.", filled="project_id")
EVENTS: Final = form("events", "string", "Only these events; all unless given.", repeated=True)
WHERE: Final = form("where", "string", "Expression that events have to fulfil.")


def _type(name: str) -> Parameter:
    return _needed("type", "string", "Kind of the pipeline.", default=name, enum=(name,))


_TRIAL = form("trial", "boolean", "Export 30 days only, from yesterday on.", default=False)
_WHEN = (
    _needed("from_date", "string", "First day, at most six months ago.", format=DAY),
    form("to_date", "string", "Last day; goes on unless given.", format=DAY),
    form("frequency", "string", "How often.", default="daily", enum=("daily", "hourly")),
)
_EVENTS_ONLY = form("data_source", "string", "What is exported.", default="events", enum=("events",))
_ANY_SOURCE = replace(_EVENTS_ONLY, enum=("events", "people"))
_JSON_ONLY = form("data_format", "string", "How files are written.", default="json", enum=("json",))
_ANY_FORMAT = replace(_JSON_ONLY, enum=("json", "parquet"))
_TABLES = _needed(
    "schema_type",
    "string",
    "All events in one table, or a table an event.",
    default="monoschema",
    enum=("monoschema", "multischema"),
)
_SYNC = _needed("sync", "boolean", "Follow later changes of exported data.", default=True, enum=(True,))

_GCS = (
    _needed("gcs_bucket", "string", "The bucket."),
    form("gcs_prefix", "string", "Path within it."),
    _needed(
        "gcs_region",
        "string",
        "The bucket's region.",
        enum=(
            "northamerica-northeast1",
            "us-central1",
            "us-east1",
            "us-east4",
            "us-west1",
            "us-west2",
            "southamerica-east1",
            "europe-north1",
            "europe-west1",
            "europe-west2",
            "europe-west3",
            "europe-west4",
            "europe-west6",
            "asia-east1",
            "asia-east2",
            "asia-northeast1",
            "asia-northeast2",
            "asia-northeast3",
            "asia-south1",
            "asia-southeast1",
            "australia-southeast1",
        ),
    ),
)

_S3_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-south-1",
    "ca-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
)


def _s3(*regions: str) -> tuple[Parameter, ...]:
    return (
        _needed("s3_bucket", "string", "The bucket."),
        _needed("s3_region", "string", "The bucket's region.", enum=regions),
        _needed("s3_role", "string", "Role to write as, an ARN."),
        form("s3_prefix", "string", "Path within the bucket."),
        form(
            "s3_encryption",
            "string",
            "Encryption at rest.",
            default="none",
            enum=("none", "aes", "kms"),
        ),
        form("s3_kms_key_id", "string", "Id of the key, for `kms`."),
    )


_AZURE = (
    _needed("storage_account", "string", "The storage account."),
    _needed("container_name", "string", "The container within it."),
    form("prefix", "string", "Path within the container."),
    _needed("client_id", "string", "Id of the service principal."),
    _needed("client_secret", "string", "Secret of the service principal."),
    _needed("tenant_id", "string", "Tenant of the service principal."),
)

_BIGQUERY = (
    _needed(
        "bq_region",
        "string",
        "BigQuery's region.",
        enum=(
            "US",
            "US_CENTRAL_1",
            "US_EAST_1",
            "US_WEST_1",
            "US_WEST_2",
            "US_EAST_4",
            "NORTH_AMERICA_NORTHEAST_1",
            "SOUTH_AMERICA_EAST_1",
            "EU",
            "EUROPE_NORTH_1",
            "EUROPE_WEST_2",
            "EUROPE_WEST_3",
            "EUROPE_WEST_4",
            "EUROPE_WEST_6",
            "ASIA_SOUTH_1",
            "ASIA_EAST_1",
            "ASIA_EAST_2",
            "ASIA_NORTHEAST_1",
            "ASIA_NORTHEAST_2",
            "ASIA_NORTHEAST_3",
            "ASIA_SOUTHEAST_1",
            "ASIA_SOUTHEAST_2",
            "AUSTRALIA_SOUTHEAST_1",
        ),
    ),
    form("bq_prefix", "string", "What names of tables begin with."),
    _needed("gcp_project", "string", "The Google Cloud project."),
    _needed("bq_dataset_name", "string", "The dataset."),
)

_SNOWFLAKE = (
    form("snowflake_prefix", "string", "What names of tables begin with."),
    _needed("snowflake_account_name", "string", "The account."),
    _needed("snowflake_warehouse", "string", "The warehouse."),
    _needed("snowflake_storage_integration", "string", "The storage integration."),
    _needed("snowflake_user", "string", "The user."),
    _needed("snowflake_password", "string", "The user's password."),
    _needed("snowflake_role", "string", "The role."),
    _needed("snowflake_database", "string", "The database."),
    _needed("snowflake_schema", "string", "The schema."),
)

_GLUE = (
    form("use_glue", "boolean", "Write the schema to Glue too.", default=False),
    form("glue_database", "string", "The Glue database; needed with `use_glue`."),
    form("glue_role", "string", "Role to update Glue as; needed with `use_glue`."),
    form("glue_table_prefix", "string", "What names of tables begin with."),
)


def _raw(name: str, *where: Parameter) -> tuple[Parameter, ...]:
    return (PROJECT, _type(name), _TRIAL, _EVENTS_ONLY, *_WHEN, EVENTS, WHERE, _JSON_ONLY, *where)


def _tables(name: str, *where: Parameter) -> tuple[Parameter, ...]:
    return (PROJECT, _type(name), _TRIAL, _TABLES, _ANY_SOURCE, _SYNC, *_WHEN, EVENTS, WHERE, *where)


CREATED: Final = {
    "gcs-raw": _raw("gcs-raw", *_GCS),
    "s3-raw": _raw("s3-raw", *_s3(*_S3_REGIONS, "me-south-1")),
    "azure-raw": _raw("azure-raw", *_AZURE),
    "bigquery": _tables("bigquery", *_BIGQUERY),
    "snowflake": _tables("snowflake", *_SNOWFLAKE),
    "aws": _tables("aws", _ANY_FORMAT, *_s3(*_S3_REGIONS), *_GLUE),
    "azure-blob": _tables("azure-blob", _ANY_FORMAT, *_AZURE),
    "gcs-schema": _tables("gcs-schema", _ANY_FORMAT, *_GCS),
}
"""What creating a pipeline takes, by its type."""
