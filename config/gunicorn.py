"""Gunicorn's configuration: `gunicorn -c config/gunicorn.py wsgi:app`.

Gunicorn runs this file once, in its master, before any worker exists (so this one file reads the environment
when it is loaded). With wrong settings it stops here, with all problems, instead of starting workers that
die again and again.
"""

import os
import sys
from pathlib import Path

# Gunicorn puts the project on the path only after it has read this file.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config.logging import configure_structlog, log_config
from config.settings import Settings, SettingsError, load_settings


def _settings() -> Settings:
    try:
        return load_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


_loaded = _settings()

# All interfaces: in a container, anything else could not be reached.
bind = f"0.0.0.0:{_loaded.port}"

# Accepting a page is waiting for Redis plus parsing JSON. Threads overlap the waiting, and leave others free
# while some answers are delayed by the inbox's soft cap; processes share the parsing, which holds Python's
# lock.
worker_class = "gthread"
workers = _loaded.web_workers
# Whoever follows events keeps a thread for itself, besides those for everything else.
threads = _loaded.web_threads + _loaded.event_readers

# Each process reads the code for itself: that costs memory, and a reload with HUP then takes new code.
preload_app = False

# A worker without a sign of life for this long is replaced. With threads the sign is the worker's, not
# a request's, so a long stream of server-sent events does not end it.
timeout = 60

# On TERM, requests under way get this long to end (the longest is a delayed answer plus a slow body); new
# ones are refused, and Mixpanel sends them again. Below the 30 s after which platforms kill a process.
graceful_timeout = 25

# Longer than the 60 s of common load balancers, so that the balancer closes an idle connection, not we: else
# a page can be sent into a connection that is just being closed.
keepalive = 65

# The sign of life is a file; on a busy disk, touching it can hang for seconds.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no file name is guessable there

# A body's size is the application's business (MAX_BODY_BYTES): it answers in the form that Mixpanel displays.

# Several instances on one machine would share the socket's default path in the home directory.
control_socket_disable = True

# One format for everything, on stdout. The access log is off by default: the application writes a line where
# something happened, and probes and page after page would drown it. It leaves out the query, the address and
# the user, which can be personal.
accesslog = "-" if _loaded.access_log else None
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
loglevel = _loaded.log_level.lower()
logconfig_dict = log_config(_loaded.log_level, _loaded.log_format, access_log=_loaded.access_log)
configure_structlog()
