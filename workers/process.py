"""What every background process begins with: settings, logs, services."""

import os
import sys
from functools import cache

from app.services import Services, build_services
from app.status.starting import why_not_to_start
from config.logging import configure_logging
from config.settings import SettingsError, load_settings

WRONG_SETTINGS = 3
OTHER_STATE = 4


@cache
def services() -> Services:
    """Return this process's services, made from its environment at the first call.

    Raises:
        SystemExit: the settings are wrong, or the stored state is of another version; it was printed.
    """
    try:
        settings = load_settings(os.environ)
    except SettingsError as err:
        sys.stderr.write(f"{err}\n")
        raise SystemExit(WRONG_SETTINGS) from None
    configure_logging(settings.log_level, settings.log_format)
    made = build_services(settings)
    if reason := why_not_to_start(made):
        sys.stderr.write(f"{reason}\n")
        raise SystemExit(OTHER_STATE)
    return made
