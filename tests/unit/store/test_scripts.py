"""Scripts are put together from files; what a file includes is there once, and before it is used."""

import re
from pathlib import Path

import pytest

import app
from app.store import scripts

APP = Path(app.__file__).parent
PATHS = sorted(path.relative_to(APP).as_posix() for path in APP.glob("*/scripts/*.lua"))


def test_an_include_is_replaced_by_the_files_text() -> None:
    text = scripts.source("lanes/scripts/renew.lua")
    assert "--! include" not in text
    assert text.index("local function fenced") < text.index("if not fenced(")


@pytest.mark.parametrize("path", PATHS)
def test_whatever_a_script_calls_it_defines_before(path: str) -> None:
    text = scripts.source(path)
    assert "--! include" not in text
    for name in ("fenced", "now_ms", "queue_lane", "wake_lane", "append_log", "append_entries", "has_work"):
        used = [found.start() for found in re.finditer(rf"(?<!function )\b{name}\(", _code(text))]
        defined = [found.start() for found in re.finditer(rf"local function {name}\(", _code(text))]
        assert len(defined) <= 1
        assert not used or path.endswith("queue.lua") or defined[0] < min(used)


def test_no_script_lacks() -> None:
    assert len(PATHS) > 10
    with pytest.raises(FileNotFoundError):
        scripts.source("lanes/scripts/missing.lua")


def _code(text: str) -> str:
    return re.sub(r"--.*", "", text)
