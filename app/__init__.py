"""cohort-relay: receives Mixpanel's cohort syncs and relays every change of membership."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.services import Services
    from config.settings import Settings

# Imports stand inside the functions: every module of the product imports this package first, and a worker or
# a command must not pay for, nor depend on, the web side.


def create_app(source: "Settings | Services") -> "Flask":
    """Make the web application; nothing connects before the first request.

    Args:
        source: Settings, from which the services are built, or the services themselves.
    """
    from app.services import build_services  # noqa: PLC0415 - see above
    from app.web.factory import build_whole  # noqa: PLC0415 - see above
    from config.settings import Settings  # noqa: PLC0415 - see above

    return build_whole(build_services(source) if isinstance(source, Settings) else source)


def app_from_environment() -> "Flask":
    """Make the web application for a server such as gunicorn, from the environment's settings.

    Called in a server's worker process once the server has set its own signal handlers (gunicorn without
    `preload_app`): from SIGTERM on, pages are then answered with 503.

    Raises:
        SystemExit: the settings are wrong, or the stored state is of another version; that was printed. The
            status is the one that tells gunicorn's master to stop instead of starting the worker again and
            again.
    """
    import atexit  # noqa: PLC0415 - see above
    import os  # noqa: PLC0415 - see above
    import sys  # noqa: PLC0415 - see above

    from app.services import build_services  # noqa: PLC0415 - see above
    from app.status.starting import why_not_to_start  # noqa: PLC0415 - see above
    from app.web.factory import DRAINING  # noqa: PLC0415 - see above
    from config.logging import configure_logging  # noqa: PLC0415 - see above
    from config.settings import SettingsError, load_settings  # noqa: PLC0415 - see above

    try:
        settings = load_settings(os.environ)
    except SettingsError as err:
        sys.stderr.write(f"{err}\n")
        raise SystemExit(3) from None
    configure_logging(settings.log_level, settings.log_format, access_log=settings.access_log)
    services = build_services(settings)
    if reason := why_not_to_start(services):
        sys.stderr.write(f"{reason}\n")
        raise SystemExit(3)
    services.flushing.start()
    atexit.register(services.flushing.stop)
    app = create_app(services)
    app.extensions[DRAINING].follow()
    return app
