"""Check what a feature flag is made of. Pure.

Source: the published OpenAPI description of feature flags management.
"""

from typing import Any

from app.sandbox.api.desk.asked import MistakeError
from app.sandbox.store.documents import Document

STATES = ("enabled", "disabled", "archived")
METHODS = ("client", "server", "remote_or_local", "remote_only")
REQUIRED = ("name", "key", "tags", "context", "serving_method", "ruleset")
OPTIONAL = (
    *("description", "experiment_id", "status", "data_group_id", "workspace_id", "is_experiment_active"),
    *("hash_salt", "reset_hash_salt"),
)
MOST_VARIANTS = 11
LONGEST = 255


def check(given: dict[str, Any]) -> Document:
    """Return what a flag was asked to be."""
    if unknown := set(given) - {*REQUIRED, *OPTIONAL}:
        raise MistakeError(f"{', '.join(sorted(unknown))}: not known")
    for name in ("name", "key", "context"):
        if not isinstance(given.get(name), str) or not 1 <= len(given[name]) <= LONGEST:
            raise MistakeError(f"{name}: required, a text of at most {LONGEST} characters")
    if not isinstance(given.get("tags"), list) or not all(isinstance(one, str) for one in given["tags"]):
        raise MistakeError("tags: required, a list of texts")
    if given.get("serving_method") not in METHODS:
        raise MistakeError(f"serving_method: required, one of {', '.join(METHODS)}")
    if given.get("status", "disabled") not in STATES:
        raise MistakeError(f"status: one of {', '.join(STATES)}")
    _check_ruleset(given.get("ruleset"))
    return given


def _check_ruleset(ruleset: Any) -> None:
    if not isinstance(ruleset, dict):
        raise MistakeError("ruleset: required, an object")
    variants, rollout = ruleset.get("variants"), ruleset.get("rollout")
    if not isinstance(variants, list) or len(variants) > MOST_VARIANTS:
        raise MistakeError(f"ruleset.variants: required, a list of at most {MOST_VARIANTS}")
    if not isinstance(rollout, list):
        raise MistakeError("ruleset.rollout: required, a list")
    for variant in variants:
        _check_variant(variant)
    for rule in rollout:
        if not isinstance(rule, dict) or not _is_share(rule.get("rollout_percentage")):
            raise MistakeError("ruleset.rollout: each has a rollout_percentage from 0 to 1")


def _check_variant(variant: Any) -> None:
    known = isinstance(variant, dict) and isinstance(variant.get("key"), str) and "value" in variant
    if not known or not isinstance(variant.get("is_control"), bool) or not _is_share(variant.get("split")):
        raise MistakeError("ruleset.variants: each has key, value, is_control, and a split from 0 to 1")


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
