"""`python -m app.local`: run everything on this machine until Ctrl-C."""

import argparse
import os
import sys
from pathlib import Path

from app.local.console import Console, colour_wanted
from app.local.errors import LocalError
from app.local.plan import read_environ
from app.local.run import Run

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m app.local", description="Run cohort-relay on this machine."
    )
    parser.add_argument("--var", type=Path, default=_ROOT / "var", help="data and logs (default: var/)")
    parser.add_argument("--env-file", type=Path, default=_ROOT / ".env", help="settings (default: .env)")
    options = parser.parse_args()
    environ = read_environ(os.environ, options.env_file)
    console = Console(sys.stdout, colour=colour_wanted(sys.stdout, environ))
    try:
        return Run(environ, options.var.resolve(), console).run()
    except LocalError as err:
        console.complain(str(err))
        return 1
    except KeyboardInterrupt:  # before anything was started: from then on it is a request to stop
        return 130


if __name__ == "__main__":
    sys.exit(main())
