"""Put the web side together."""

import time
from typing import Final

from flask import Flask

from app.lanes.jobs import Jobs
from app.services import Services
from app.status.metrics import Metrics
from app.store.connection import connect
from app.web.answers import Refusals
from app.web.api.access import ACCESS
from app.web.api.factory import add_api
from app.web.auth import Credentials
from app.web.causes import CAUSES
from app.web.draining import Draining
from app.web.errors import handle_errors
from app.web.gateway.views import Gateway
from app.web.health import Health
from app.web.login.forgery import add_forgery_check
from app.web.login.guard import Guard
from app.web.login.session import keep_sessions
from app.web.login.views import Login
from app.web.metrics import MetricsPage
from app.web.pages.shell import TEMPLATES, add_pages
from app.web.ports import WebServices
from app.web.queues.views import QueuePages
from app.web.slowing import Slowing
from app.web.webhook import Webhook

# Where the server's configuration finds the process's Draining, to connect it to SIGTERM.
DRAINING: Final = "cohort_relay.draining"


def build_web(services: WebServices) -> Flask:
    """Make the WSGI application; nothing connects before the first request."""
    settings = services.settings
    app = Flask("cohort_relay", static_folder=None, template_folder=str(TEMPLATES))
    app.secret_key = settings.secret_key.reveal()
    app.extensions[DRAINING] = draining = Draining()
    webhook = Webhook(
        services=services,
        credentials=Credentials(settings.projects.values()),
        refusals=Refusals(settings.projects, time.monotonic),
        draining=draining,
        # Half of the threads at most: health checks and pages of other projects must still get one.
        slowing=Slowing(max(1, settings.web_threads // 2), time.sleep),
    )
    app.register_blueprint(webhook.blueprint())
    app.register_blueprint(Health(services, draining).blueprint())
    add_api(app, services, draining)
    handle_errors(app)
    return app


def build_whole(services: Services) -> Flask:
    """Make the application with what tells of the whole relay, for which it needs every service."""
    app = build_web(services)
    metrics = MetricsPage(
        Metrics(services, [cause.code for cause in CAUSES]).page,
        services.settings.metrics_token,
        app.extensions[ACCESS],
    )
    app.register_blueprint(metrics.blueprint())
    app.register_blueprint(Gateway(services, app.extensions[ACCESS]).blueprint())
    _add_pages(app, services)
    return app


def _add_pages(app: Flask, services: Services) -> None:
    """Add the pages for people, behind their login."""
    proxies = services.settings.trusted_proxies
    keep_sessions(app, proxies)
    add_forgery_check(app)
    add_pages(app)
    app.register_blueprint(Login(services.tokens, services.failed_logins, proxies).blueprint())
    jobs = Jobs(connect(services.settings.rq_redis_url))
    app.register_blueprint(QueuePages(jobs, Guard(services.tokens)).blueprint())
