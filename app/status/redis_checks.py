"""What must be true of the Redis that holds the state."""

from typing import Final

from app.status.checks import Check, Verdict
from app.status.redis_facts import MemoryUse, RedisFacts

OLDEST: Final = (6, 2)
MEMORY_WARN, MEMORY_FAIL = 0.75, 0.92
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 20.0
_MIB: Final = 1024 * 1024


def writable(facts: RedisFacts) -> Check:
    """Check that it takes writes."""
    info = facts.info
    if info.get("loading"):
        return Check("redis", "fail", "loading its data after a start", "wait")
    if info.get("role") == "slave":
        return Check("redis", "fail", "a replica, which takes no writes", "REDIS_URL must name the primary")
    if info.get("aof_last_write_status", "ok") != "ok":
        return Check("redis", "fail", "cannot write its append-only file", "look at its log and its disk")
    return Check("redis", "ok", "reachable and writable")


def persistent(facts: RedisFacts, *, allow_volatile: bool) -> Check:
    """Check that what it acknowledged outlives it."""
    if facts.appendonly:
        found = f"append-only file on, appendfsync {facts.appendfsync or 'unknown (CONFIG is forbidden)'}"
        if facts.appendfsync in {"everysec", "no"}:
            lost = "the last second" if facts.appendfsync == "everysec" else "what the system had not written"
            advice = f"set appendfsync always, or accept that a crash can lose {lost} of acknowledged pages"
            return Check("persistence", "warn", found, advice)
        return Check("persistence", "ok", found)
    found = "append-only file off" if facts.appendonly is False else "unknown: CONFIG and INFO do not tell"
    if facts.info.get("rdb_last_save_time") and facts.info.get("rdb_saves"):
        found += ", snapshots only"
    return _volatile("persistence", found, "set appendonly yes", allow_volatile=allow_volatile)


def keeps(facts: RedisFacts, *, allow_volatile: bool) -> Check:
    """Check that it never drops keys to make room."""
    found = f"maxmemory-policy {facts.maxmemory_policy or 'unknown'}"
    if facts.maxmemory_policy == "noeviction":
        return Check("eviction", "ok", found)
    return _volatile("eviction", found, "set maxmemory-policy noeviction", allow_volatile=allow_volatile)


def _volatile(name: str, found: str, remedy: str, *, allow_volatile: bool) -> Check:
    if allow_volatile:
        return Check(name, "warn", f"{found}; accepted by ALLOW_VOLATILE_REDIS")
    return Check(name, "fail", f"{found}: acknowledged pages could be lost", remedy)


def version(facts: RedisFacts) -> Check:
    """Check that it is new enough."""
    found = str(facts.info.get("redis_version", ""))
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if len(numbers) < len(OLDEST):
        return Check("version", "warn", "unknown: INFO does not tell", "make sure that it is 6.2 or later")
    if numbers < OLDEST:
        return Check("version", "fail", f"Redis {found}", "upgrade to 6.2 or later")
    return Check("version", "ok", f"Redis {found}")


def memory(use: MemoryUse | None) -> Check:
    """Check that there is room: a full Redis answers writes with an error, and Mixpanel is told 503."""
    if use is None:
        return Check("memory", "warn", "unknown: INFO does not tell", "watch its memory by other means")
    share = use.used_bytes / use.cap_bytes
    verdict: Verdict = "ok" if share < MEMORY_WARN else "warn" if share < MEMORY_FAIL else "fail"
    mib = f"{use.used_bytes / _MIB:,.0f} MiB of {use.cap_bytes / _MIB:,.0f} MiB"
    found = f"{mib} used ({share:.0%} of {use.whose})"
    advice = "" if verdict == "ok" else "give Redis more memory; when it is full, pages are answered with 503"
    return Check("memory", verdict, found, advice)


def same_time(skew_s: float) -> Check:
    """Check that this machine and Redis agree on the time.

    Args:
        skew_s: by how many seconds Redis's clock is ahead of ours.
    """
    if abs(skew_s) < SKEW_WARN_S:
        return Check("time", "ok", f"Redis's clock and this machine's agree within {SKEW_WARN_S:.0f} s")
    verdict: Verdict = "fail" if abs(skew_s) >= SKEW_FAIL_S else "warn"
    found = f"Redis's clock is {abs(skew_s):,.1f} s {'ahead of' if skew_s > 0 else 'behind'} this machine's"
    return Check("time", verdict, found, "let both follow a time server (NTP); ages and lags are wrong by it")
