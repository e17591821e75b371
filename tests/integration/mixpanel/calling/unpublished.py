"""Arguments of the rows that no published operation is alone of: pipelines by type, and the legacy API."""

from collections.abc import Mapping
from typing import Any

Arguments = dict[str, Any]
BUCKET = {"gcs_bucket": "b", "gcs_region": "us-east1"}
STORE = {"s3_bucket": "b", "s3_region": "us-east-1", "s3_role": "arn:aws:iam::1:role/r"}
BLOB = {
    "storage_account": "s",
    "container_name": "c",
    "client_id": "i",
    "client_secret": "k",
    "tenant_id": "t",
}
BIG = {"bq_region": "US", "gcp_project": "p", "bq_dataset_name": "d"}
SNOW = {
    f"snowflake_{name}": "x"
    for name in (
        "account_name",
        "warehouse",
        "storage_integration",
        "user",
        "password",
        "role",
        "database",
        "schema",
    )
}
SCHEMATIZED = {"schema_type": "monoschema", "sync": True}
PIPELINES: Mapping[str, Arguments] = {
    "gcs-raw": BUCKET,
    "s3-raw": STORE,
    "azure-raw": BLOB,
    "bigquery": BIG | SCHEMATIZED,
    "snowflake": SNOW | SCHEMATIZED,
    "aws": STORE | SCHEMATIZED,
    "azure-blob": BLOB | SCHEMATIZED,
    "gcs-schema": BUCKET | SCHEMATIZED,
}
LATELY: Arguments = {"unit": "day", "interval": 7}
EVENTS: Arguments = {"event": ["Signed up"], "type": "general", **LATELY}
EVENT: Arguments = {"event": "Signed up", "name": "plan", "type": "general", **LATELY}
FUNNEL, FUNNELS = {"funnel": "Signup funnel"}, {"funnel": ["Signup funnel"]}
LEGACY: Mapping[str, Arguments] = {
    "events": EVENTS,
    "events-top": {"type": "general"},
    "events-names": {"type": "general"},
    "events-retention": EVENTS,
    "events-properties": EVENT,
    "events-properties-top": {"event": "Signed up"},
    "events-properties-values": {"event": "Signed up", "name": "plan"},
    "funnels": FUNNELS | LATELY,
    "funnels-names": {},
    "funnels-dates": FUNNELS | LATELY,
    "funnels-properties": FUNNEL | LATELY | {"name": "plan"},
    "funnels-properties-names": FUNNEL | LATELY,
}
