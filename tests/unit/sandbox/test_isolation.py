import ast
from pathlib import Path

import app.sandbox

PACKAGE = Path(app.sandbox.__file__).parent
OURS = {"app", "config", "workers", "tests", "wsgi"}


def imported(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def test_the_sandbox_shares_no_code_with_what_it_tests() -> None:
    strangers = {
        name
        for source in PACKAGE.rglob("*.py")
        for name in imported(source)
        if name.split(".")[0] in OURS and not name.startswith("app.sandbox")
    }

    assert strangers == set()
