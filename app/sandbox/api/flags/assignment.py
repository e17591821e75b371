"""Which variant of a flag somebody gets. Pure.

Test users first; else the first rollout rule that they are in: a share of everybody, by a hash of who they
are, the flag's key and its salt; then the variant that the rule forces, or one by the splits. Rules for
cohorts, events or runtime properties are not evaluated here: nobody is in them. How Mixpanel hashes is not
documented.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from app.sandbox.store.documents import Document

UNKNOWN = (
    "cohort_definition",
    "runtime_evaluation_definition",
    "runtime_evaluation_rule",
    "runtime_event_rule",
)
HASHED = 2**64


def assigned(flag: Document, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the variant that somebody gets; None for nothing."""
    who = context.get(flag["context"])
    if who in (None, ""):
        return None
    ruleset = flag["ruleset"]
    variants = {one["key"]: one for one in ruleset["variants"]}
    tested = ((ruleset.get("test") or {}).get("users") or {}).get(str(who))
    if tested in variants:
        return _shown(variants[tested], flag, tested=True)
    for at, rule in enumerate(ruleset["rollout"]):
        if any(rule.get(name) for name in UNKNOWN):
            continue
        if share(flag, str(who), f"rollout {at}") < rule["rollout_percentage"]:
            variant = _chosen(rule, variants, share(flag, str(who), "variant"))
            return None if variant is None else _shown(variant, flag, tested=False)
    return None


def share(flag: Document, who: str, what: str) -> float:
    """Return a number from 0 to 1 that is somebody's own for a flag, and always the same."""
    said = f"{flag['key']}:{flag.get('hash_salt', '')}:{what}:{who}"
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8]) / HASHED


def _chosen(rule: Document, variants: Mapping[str, Document], place: float) -> Document | None:
    override = (rule.get("variant_override") or {}).get("key")
    if override is not None:
        return variants.get(override)
    splits = rule.get("variant_splits") or {key: one["split"] for key, one in variants.items()}
    reached = 0.0
    for key, split in splits.items():
        reached += split
        if place < reached:
            return variants.get(key)
    return None


def _shown(variant: Document, flag: Document, *, tested: bool) -> dict[str, Any]:
    shown = {"variant_key": variant["key"], "variant_value": variant["value"], "is_qa_tester": tested}
    if flag.get("experiment_id"):
        shown["experiment_id"] = flag["experiment_id"]
        shown["is_experiment_active"] = bool(flag.get("is_experiment_active"))
    return shown
