"""Bring the state of the embedded Redis to the version that this code works with, behind a backup."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.installation.backup import NotSaved, save
from app.local.errors import LocalError
from app.local.redis_server import EmbeddedRedis
from app.store import keys
from app.store.connection import connect
from app.store.heartbeats import process_name
from app.store.upgrading import BeingUpgraded, NoWay, Upgrading
from config.settings import Settings


def upgrade_state(
    embedded: EmbeddedRedis, settings: Settings, backups: Path, say: Callable[[str], None]
) -> None:
    """Upgrade it if it is of an earlier version; one that there is no way from is left for others to tell.

    Args:
        embedded: the running server.
        settings: of the run.
        backups: where to keep a backup of the state as it was.
        say: tells the person at the terminal.

    Raises:
        LocalError: it could not be upgraded.
    """
    with closing(connect(embedded.url, timeout_s=60.0)) as redis:
        upgrading = Upgrading(redis, list(settings.projects), process_name("upgrade"))
        try:
            ahead = upgrading.ahead()
            if not ahead:
                return
            to = ahead[-1].to
            if not redis.exists(keys.upgrade()):  # else it was broken off, and is not as it was any more
                backup = backups / f"before-version-{to}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.rdb"
                save(redis, backup)
                say(f"The stored state as it is now is kept in {backup}.")
            say(f"Upgrading the stored state to version {to} ...")
            changed = sum(step.changed for step in upgrading.run())
            say(f"Upgraded: {changed:,} keys changed.")
        except NoWay:
            return
        except NotSaved as err:
            raise LocalError(f"The stored state has to be upgraded, and was not. {err}") from err
        except BeingUpgraded as err:
            raise LocalError("The stored state is being upgraded by somebody else; try again later.") from err
