import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger

from config.logging import configure_logging, log_config
from config.secret import Secret


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_json_is_one_object_a_line_for_our_events_and_for_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO", "json")
    structlog.get_logger("app.test").info(
        "page.accepted", members=3, distinct_id="u1", secret_of_day=Secret("hush")
    )
    logging.getLogger("library").warning("first %s\nsecond", "line")
    local = "hu" + "sh"
    try:
        int(local[:0])
    except ValueError:
        structlog.get_logger("app.test").exception("boom")
    ours, library, failure = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ours["event"], ours["level"], ours["logger"]) == ("page.accepted", "info", "app.test")
    assert ours["members"] == 3
    assert ours["secret_of_day"] == "***"
    assert library["event"] == "first line\nsecond"
    assert "ValueError" in failure["exception"]
    assert "hush" not in failure["exception"]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_personal_and_secret_fields_are_hidden_or_hashed(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    configure_logging("INFO", log_format)
    structlog.get_logger("app.test").info(
        "x", email="hush@x", **{"$first_name": "hush"}, distinct_id="hush-1", token="hush", members=["hush"]
    )
    out = capsys.readouterr().out
    assert "hush" not in out
    assert len(out.splitlines()) == 1


def test_a_console_line_cannot_be_forged_with_a_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "console")
    logging.getLogger("library").warning("a\nb")
    assert capsys.readouterr().out.splitlines()[0].count("a\\nb") == 1


def test_levels_hold_and_chatty_libraries_are_heard_from_warnings_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("DEBUG", "json")
    logging.getLogger("urllib3.connectionpool").info("https://host/?token=1")
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=https://host/?token=1)")
    structlog.get_logger("app.test").debug("seen")
    configure_logging("ERROR", "json")
    structlog.get_logger("app.test").warning("not seen")
    logging.getLogger("rq.worker").warning("not seen either")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "seen"


@pytest.mark.parametrize("wanted", [False, True])
def test_gunicorns_access_log_is_written_only_where_it_is_wanted(
    capsys: pytest.CaptureFixture[str], *, wanted: bool
) -> None:
    configure_logging("INFO", "json", access_log=wanted)
    logger = GunicornLogger(Config())
    logging.config.dictConfig(
        log_config("INFO", "json", access_log=wanted)
    )  # as gunicorn does, behind its own
    logger.access_log.info("GET /healthz 200")
    logger.error_log.info("Listening")
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told == [*(["GET /healthz 200"] if wanted else []), "Listening"]
