"""What each type of data pipeline is made of. Pure.

Source: the published OpenAPI description of data pipelines.
"""

from collections.abc import Mapping

RAW = ("gcs-raw", "s3-raw", "azure-raw")
S3 = ("s3_bucket", "s3_region", "s3_role")
GCS = ("gcs_bucket", "gcs_region")
AZURE = ("storage_account", "container_name", "client_id", "client_secret", "tenant_id")
SNOWFLAKE = (
    *("snowflake_account_name", "snowflake_warehouse", "snowflake_storage_integration", "snowflake_user"),
    *("snowflake_password", "snowflake_role", "snowflake_database", "snowflake_schema"),
)
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "gcs-raw": GCS,
    "s3-raw": S3,
    "azure-raw": AZURE,
    "bigquery": ("bq_region", "gcp_project", "bq_dataset_name"),
    "snowflake": SNOWFLAKE,
    "aws": S3,
    "azure-blob": AZURE,
    "gcs-schema": GCS,
}
SECRET = {"client_secret", "azure_client_secret", "snowflake_password"}  # never shown, never kept


def required(kind: str) -> tuple[str, ...]:
    """Return the fields that a pipeline of a type needs besides its type."""
    of_all = ("from_date",) if kind in RAW else ("from_date", "schema_type", "sync")
    return (*of_all, *REQUIRED[kind])
