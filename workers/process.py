"""What every background process begins with: settings, logs, services."""

import os
import sys
from functools import cache

from app.services import Services, build_services
from config.logging import configure_logging
from config.settings import SettingsError, load_settings

WRONG_SETTINGS = 3


@cache
def services() -> Services:
    """Return this process's services, made from its environment at the first call.

    Raises:
        SystemExit: the settings are wrong; the problems were printed.
    """
    try:
        settings = load_settings(os.environ)
    except SettingsError as err:
        sys.stderr.write(f"{err}\n")
        raise SystemExit(WRONG_SETTINGS) from None
    configure_logging(settings.log_level, settings.log_format)
    return build_services(settings)
