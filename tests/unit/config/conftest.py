from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, load_settings

REQUIRED = {"SECRET_KEY": "0123456789abcdef-hush"}
ONE_PROJECT = {
    **REQUIRED,
    "MIXPANEL_PROJECT_ID": "2195193",
    "MIXPANEL_PROJECT_TOKEN": "token-hush",
    "WEBHOOK_USERNAME": "mixpanel",
    "WEBHOOK_PASSWORD": "password-hush",
}
Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from the given YAML, or from variables alone, in an empty directory."""

    def loaded(yaml: str | None = None, **environ: str) -> Settings:
        if yaml is None:
            return load_settings(environ, tmp_path)
        (tmp_path / "p.yaml").write_text(yaml, encoding="utf-8")
        return load_settings({**REQUIRED, "PROJECTS_FILE": "p.yaml", **environ}, tmp_path)

    return loaded


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Problems:
    """List the problems of the given YAML or variables, the file's directory cut away."""

    def listed(yaml: str | None = None, **environ: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(yaml, **environ)
        assert "hush" not in str(caught.value)
        return [problem.replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return listed
