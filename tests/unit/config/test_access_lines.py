import logging

import pytest

from config.access_lines import WithoutPeople


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/api/v1/projects/1/people/ann@example.com", "/api/v1/projects/1/people/-"),
        ("/api/v1/projects/1/members/a/b", "/api/v1/projects/1/members/-"),
        ("/api/v1/projects/1/identity-links/ann", "/api/v1/projects/1/identity-links/-"),
        ("/api/v1/projects/1/identity-links", "/api/v1/projects/1/identity-links"),
        ("/api/v1/projects/1/cohorts/7/members", "/api/v1/projects/1/cohorts/7/members"),
    ],
)
def test_addresses_in_the_access_log_name_nobody(address: str, shown: str) -> None:
    record = logging.LogRecord(
        "gunicorn.access", logging.INFO, "", 0, "%(m)s %(U)s", ({"m": "GET", "U": address},), None
    )
    assert WithoutPeople().filter(record)
    assert record.getMessage() == f"GET {shown}"
