"""Count wrong tokens, and say so once a minute."""

from structlog.stdlib import get_logger

from app.access.failed_logins import FailedLogins


def count_wrong(failed_logins: FailedLogins, address: str) -> float | None:
    """Count a wrong token; return in how many seconds its sender may try again, None for at once."""
    failed = failed_logins.count(address)
    if failed.to_log:
        get_logger().warning("failed_logins", count=failed.to_log, newest_from=address)
    return failed.retry_after_s
