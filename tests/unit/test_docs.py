"""Whether what the documentation names is there: pages, headings, variables, commands."""

import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest

from app.cli.entry import create_cli_app
from app.local import plan
from config.settings import VARIABLES, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
OUTSIDE = ("http://", "https://", "mailto:")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link into the project."""
    for target in LINK.findall(FENCED.sub("", page.read_text())):
        if not target.startswith(OUTSIDE):
            name, _, anchor = target.partition("#")
            yield (page.parent / name if name else page), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors that a code host gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {anchor(LINK.sub("", heading)) for heading in headings}


def anchor(heading: str) -> str:
    kept = (char for char in heading.lower() if char in " -_" or unicodedata.category(char)[0] in "LN")
    return "".join(kept).strip().replace(" ", "-")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Try it: `make run`", "try-it-make-run"),
        ("`flask status`", "flask-status"),
        ("2. `make run` has one", "2-make-run-has-one"),
    ],
)
def test_anchors_are_those_of_a_code_host(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, wanted in links(page):
        assert target.exists(), f"{page.name} links to {target.relative_to(ROOT)}"
        assert not wanted or wanted in anchors(target), f"{page.name} links to {target.name}#{wanted}"


def test_every_page_is_found_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [target for target, _ in links(page) if target.is_file()]
    decisions = {page for page in PAGES if page.parent.name == "decisions"}
    assert set(PAGES) - decisions <= seen, "not linked"
    assert "(docs/decisions/)" in README


def test_the_variables_in_the_readme_exist_and_its_defaults_are_the_real_ones() -> None:
    known = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(Settings) if field.default is not MISSING}
    variables = {variable.name: variable for variable in VARIABLES}
    rows = re.findall(r"^\| (`[A-Z].+?) \| (.+?) \| .+ \|$", README, re.MULTILINE)
    assert len(rows) > 10
    for names, default in rows:
        for name in re.findall(r"`([A-Z_]+)`", names):
            assert name in known, name
            if (variable := variables.get(name)) and re.fullmatch(r"`?\w\S*", default.strip()):
                expected = defaults.get(variable.field, "required")
                value = default.strip("`")
                assert (value if value == "required" else variable.read(value)) == expected, name


def test_the_sandboxs_variables_have_the_defaults_that_are_documented() -> None:
    assert f"\n# SANDBOX_PORT={plan.DEFAULT_SANDBOX_PORT}\n" in EXAMPLE
    assert f"\n# SANDBOX_INTERVAL_S={plan.DEFAULT_SANDBOX_INTERVAL_S}\n" in EXAMPLE


@pages
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text()))
    assert named <= targets


@pages
def test_every_flask_command_that_is_named_exists(page: Path) -> None:
    commands = create_cli_app().cli.commands
    for name, inner in re.findall(
        r"(?:`|\$ )flask (?:--env-file \S+ )?([a-z-]+)(?: ([a-z]+(?:-[a-z]+)*))?", page.read_text()
    ):
        assert name in {*commands, "run"}, name
        group = commands.get(name)
        assert not inner or not isinstance(group, click.Group) or within(group, inner), f"{name} {inner}"


@pages
def test_every_flask_command_at_a_prompt_takes_the_arguments_that_it_is_given(page: Path) -> None:
    for line in re.findall(r"^\s*\$ flask (.+)$", page.read_text(), re.MULTILINE):
        words = shlex.split(re.sub(r" [|>&].*", "", line), comments=True)
        if words and words[0] != "run" and words[-1] != "...":
            assert_parsed(words[2:] if words[0] == "--env-file" else words)


@pages
def test_every_option_of_a_flask_command_that_is_named_exists(page: Path) -> None:
    for line in re.findall(r"`flask ([a-z][^`]+)`", " ".join(page.read_text().split())):
        words = line.split()
        command, rest = found_command(words[2:] if words[0] == "--env-file" else words)
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        used = {word.partition("=")[0] for word in rest if re.match(r"--[a-z]", word)}
        assert used - {"--help"} <= known, line


def within(group: click.Group, name: str) -> click.Command | None:
    """Return a group's command; some groups make theirs when they are asked for."""
    return group.get_command(click.Context(group), name)


def found_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Follow the words to a command; return it and what is left for it."""
    command: click.Command = create_cli_app().cli
    while isinstance(command, click.Group) and words and (found := within(command, words[0])):
        command, words = found, words[1:]
    return command, words


def assert_parsed(words: list[str]) -> None:
    """Let click read a command's arguments, as at a prompt, and do nothing."""
    command, rest = found_command(words)
    try:
        command.make_context(command.name, list(rest))
    except click.exceptions.NoArgsIsHelpError:
        return
    except click.UsageError as error:
        raise AssertionError(f"flask {' '.join(words)}: {error.message}") from error


def test_the_projects_file_in_the_readme_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(projects:.*?)```", README, re.DOTALL)
    (tmp_path / "p.yaml").write_text(block, encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "hush")
    environ = {"SECRET_KEY": "0123456789abcdef-hush", "PROJECTS_FILE": "p.yaml", **secrets}
    (project,) = load_settings(environ, tmp_path).projects.values()
    assert [len(project.rules.matching("1", name)) for name in ("VIP gold", "Other")] == [2, 1]


@pages
def test_every_python_module_that_is_named_exists(page: Path) -> None:
    for module in re.findall(r"python -m ((?:app|workers|tests)[\w.]*)", page.read_text()):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
