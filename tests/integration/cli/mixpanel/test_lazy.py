"""What `flask --help` has to load."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
PROGRAM = """
import sys
from app.cli.entry import create_cli_app
answer = create_cli_app().test_cli_runner().invoke(args=["--help"])
assert "mixpanel " in answer.output, answer.output
print(sorted(name for name in sys.modules if name.startswith("app.cli.mixpanel")))
"""


def test_the_commands_of_mixpanel_are_made_only_when_one_is_wanted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['app.cli.mixpanel', 'app.cli.mixpanel.lazy']"
