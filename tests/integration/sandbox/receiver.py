"""A webhook of our own that keeps cohorts as pages say, and answers as told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Receiver:
    """Listens on a free port, answers with `status`, and keeps `cohorts` as it was told."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.pages: list[dict[str, Any]] = []
        self.authorizations: set[str | None] = set()
        self.cohorts: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/mixpanel/cohorts"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, page: dict[str, Any], authorization: str | None) -> dict[str, Any]:
        with self._lock:
            self.pages.append(page)
            self.authorizations.add(authorization)
            if self.status == 200:
                self._apply(page)
                return {"action": page["action"], "status": "success"}
        error = {"message": f"answering {self.status}", "code": self.status}
        return {"action": page["action"], "status": "failure", "error": error}

    def _apply(self, page: dict[str, Any]) -> None:
        parameters = page["parameters"]
        ids = {member["mixpanel_distinct_id"] for member in parameters["members"]}
        members = self.cohorts.setdefault(parameters["mixpanel_cohort_id"], set())
        if page["action"] == "remove_members":
            members -= ids
            return
        if page["action"] == "members" and parameters["page_info"]["page_count"] == 1:
            members.clear()
        members |= ids


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            page = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(receiver.take(page, self.headers.get("Authorization"))).encode()
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the overridden method's
            pass

    return Handler
