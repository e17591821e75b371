"""Made-up credentials are kept, private and complete."""

import stat
from pathlib import Path

from dotenv import dotenv_values

from app.local.credentials import as_env, load_or_create


def test_credentials_are_made_up_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    assert load_or_create(file) == load_or_create(file)
    assert load_or_create(file) != load_or_create(tmp_path / "other.env")


def test_nobody_but_the_owner_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    load_or_create(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_an_older_file_lacks_is_added_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("WEBHOOK_PASSWORD='mine'\nSECRET_KEY=\n")
    found = load_or_create(file)
    assert found["WEBHOOK_PASSWORD"] == "mine"
    assert len(found["SECRET_KEY"]) >= 32
    assert load_or_create(file) == found


def test_an_environment_file_reads_back_as_it_was(tmp_path: Path) -> None:
    values = {"A": "it's $HOME\\n #1", "B": '"quoted"', "C": "a=b c"}
    file = tmp_path / "run.env"
    file.write_text(as_env(values))
    assert dotenv_values(file) == values
