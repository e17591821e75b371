"""Rules about the project's own files that no single module's test can hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lanes.queue import JOB
from app.lanes.work import LANES, QUEUES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "workers", "config")
# Where one machine keeps its files; spelled in halves, as this file is searched too.
MACHINE_PATHS = re.compile(
    "(?<![\\w.~:/-])/(?:" + "|".join(("wo" + "rk", "ho" + "me", "Us" + "ers", "ro" + "ot")) + ")/"
)


def committed_files() -> list[Path]:
    """Return the project's files; without git (an unpacked archive), those of the packages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    names = [ROOT / name for name in listed if name] or [
        path for package in (*PACKAGES, "tests", "docs") for path in (ROOT / package).rglob("*")
    ]
    return [path for path in names if path.is_file() and "__pycache__" not in path.parts]


def text_of(path: Path) -> str:
    return path.read_bytes().decode(errors="ignore")


def imports(path: Path) -> Iterator[str]:
    """Yield the name of every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            yield ".".join((*above, *filter(None, (node.module,))))


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines) if command}


def test_every_queue_is_served_in_the_procfile() -> None:
    served = {
        queue
        for command in procfile().values()
        if "workers.worker" in command
        for queue in command.partition("workers.worker")[2].split()
    }
    assert set(QUEUES) <= served


def test_every_lane_has_a_queue() -> None:
    assert {kind.queue for kind in LANES.values()} == set(QUEUES)


def test_every_module_that_the_procfile_runs_is_there() -> None:
    for command in procfile().values():
        for module in re.findall(r"python -m (\S+)", command):
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module


def test_the_job_that_is_enqueued_is_there() -> None:
    module, _, name = JOB.rpartition(".")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py")
    functions = [node.name for node in ast.parse(text_of(source)).body if isinstance(node, ast.FunctionDef)]
    assert name in functions


def test_the_prefix_of_redis_keys_is_spelled_in_one_module() -> None:
    spelling = re.compile(r"(?<![a-z])cr:")
    found = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".lua") and spelling.search(text_of(path))
    ]
    assert found == ["app/store/keys.py"]


def test_end_to_end_tests_import_nothing_of_the_product() -> None:
    # What they import of the other tests counts as well.
    support = [
        ROOT / "tests" / f"{name}.py" for name in ("guard", "ports", "processes", "redis_server", "waiting")
    ]
    for path in [*(ROOT / "tests" / "e2e").rglob("*.py"), *support]:
        for module in imports(path):
            top = module.split(".")[0]
            assert top not in PACKAGES, f"{path.name} imports {module}"
            allowed = (*(f"tests.{each.stem}" for each in support), "tests.e2e")
            assert top != "tests" or module.startswith(allowed), f"{path.name} imports {module}"


def test_the_sandbox_imports_nothing_of_the_project() -> None:
    for path in (ROOT / "app" / "sandbox").rglob("*.py"):
        for module in imports(path):
            assert module.split(".")[0] not in PACKAGES or module.startswith("app.sandbox"), path.name


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in committed_files()
        for line in text_of(path).splitlines()
        if MACHINE_PATHS.search(line)
    ]
    assert not found


def test_unit_tests_use_no_redis_server_and_do_not_sleep() -> None:
    servers = {"redis_server", "redis_url", "redis_client", "start_redis"}
    for path in (ROOT / "tests" / "unit").rglob("*.py"):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.FunctionDef):
                assert not servers & {argument.arg for argument in node.args.args}, (
                    f"{path.name}: {node.name}"
                )
            assert not (isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"), path.name


@pytest.mark.parametrize("name", ["help", "run", "test", "check", "clean"])
def test_the_makefile_has_what_the_readme_promises(name: str) -> None:
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_make_help_shows_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert targets == described == set(phony.split())
