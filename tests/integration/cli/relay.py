"""A relay with real services, whose lanes the test runs itself, and its commands."""

import time
from collections.abc import Mapping
from typing import Any, cast

import orjson
from click.testing import Result

from app.cli.entry import create_cli_app
from app.cohorts.pages import parse
from app.services import Services, build_services
from app.store import keys
from config.settings import load_settings

SHOP = "1001"
TOKEN, PASSWORD, KEY = "0123456789abcdef" * 2, "a-long-webhook-password", "k" * 32


def environment(redis_url: str, **changes: str) -> dict[str, str]:
    """The environment of one project; its Mixpanel is where nobody listens."""
    return {
        "REDIS_URL": redis_url,
        "SECRET_KEY": KEY,
        "MIXPANEL_PROJECT_ID": SHOP,
        "MIXPANEL_PROJECT_TOKEN": TOKEN,
        "MIXPANEL_INGESTION_URL": "http://127.0.0.1:1",
        "WEBHOOK_USERNAME": "mixpanel",
        "WEBHOOK_PASSWORD": PASSWORD,
        **changes,
    }


class Relay:
    """What a test does to a relay, and asks of its commands."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.services: Services = build_services(load_settings(self.environ))

    def flask(self, *args: str, **changes: str) -> Result:
        """Run a command; no secret may ever be in what it prints."""
        runner = create_cli_app().test_cli_runner()
        result = runner.invoke(args=list(args), env={**self.environ, **changes})
        for secret in (TOKEN, PASSWORD, KEY):
            assert secret not in result.output
        return result

    def json(self, *args: str, status: int = 0, **changes: str) -> dict[str, Any]:
        """Run a command with --json and return what it answers."""
        result = self.flask(*args, "--json", **changes)
        assert result.exit_code == status, result.output
        return cast("dict[str, Any]", orjson.loads(result.stdout))

    def accept(self, action: str, *ids: str, session: str = "s1", **changes: Any) -> None:
        """Take a page in, as the webhook does."""
        parameters = {
            "mixpanel_project_id": SHOP,
            "mixpanel_cohort_id": "7",
            "mixpanel_cohort_name": "VIP",
            "mixpanel_session_id": session,
            "page_info": {"total_pages": 1, "page_count": 1},
            "members": [{"mixpanel_distinct_id": each} for each in ids],
            **changes,
        }
        body = orjson.dumps({"action": action, "parameters": parameters})
        self.services.inbox.accept(parse(body).head, body)

    def run_lane(self, name: str) -> None:
        """Run a lane that was woken."""
        services = self.services
        wake = cast("bytes", services.redis.hget(keys.lane(SHOP, name), "wake"))
        held = services.lanes.start(SHOP, name, int(wake))
        assert held
        outcome = services.runners[name].run(held, services.settings.projects[SHOP], time.monotonic() + 5)
        services.lanes.finish(held, outcome)

    def beat(self, *roles: str) -> None:
        """Let these processes show that they live."""
        for role in roles:
            self.services.heartbeats.beat(role)

    def close(self) -> None:
        """Give the connections back."""
        self.services.redis.close()
