"""Check what an import from a warehouse is made of. Pure.

Source: the published OpenAPI description of warehouse connectors.
"""

from collections.abc import Mapping
from typing import Any

from app.sandbox.api.desk.asked import MistakeError

HOUR_NS = 3_600_000_000_000
FREQUENCIES = (0, HOUR_NS, 24 * HOUR_NS, 7 * 24 * HOUR_NS)
MODES = ("time_based", "mirror_mode", "full_sync", "one_time")
COMMON = ("warehouse_source_id", "table_params", "sync_mode")
KINDS: Mapping[str, tuple[str, ...]] = {  # by the path's last part: what is required besides
    "event-stream": ("time_column_name",),
    "people": ("user_column_name",),
    "groups": ("group_key", "group_id_column"),
    "lookup-table": ("mixpanel_property", "property_key_column_name"),
}


def check(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what an import was asked to be."""
    if given.get("import_type") != kind.replace("-", "_"):
        raise MistakeError(f"import_type: must be {kind.replace('-', '_')}")
    for name in (*COMMON, *KINDS[kind]):
        if given.get(name) in (None, ""):
            raise MistakeError(f"{name}: required")
    modes = ("full_sync", "one_time") if kind == "lookup-table" else MODES
    if given["sync_mode"] not in modes:
        raise MistakeError(f"sync_mode: one of {', '.join(modes)}")
    if given.get("run_every", 0) not in FREQUENCIES:
        raise MistakeError(f"run_every: one of {', '.join(str(one) for one in FREQUENCIES)}")
    if not isinstance(given["warehouse_source_id"], int) or not isinstance(given["table_params"], dict):
        raise MistakeError("warehouse_source_id: a number; table_params: an object")
    if kind == "event-stream" and not (given.get("event_name") or given.get("event_column_name")):
        raise MistakeError("event_name or event_column_name: one of them is required")
    return given
