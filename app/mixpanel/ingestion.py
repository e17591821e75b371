"""The ingestion API: what it is asked for, and what its answers mean for each record."""

import gzip
from collections.abc import Sequence

from app.mixpanel import answers
from app.mixpanel.results import BatchResult
from app.mixpanel.transport import Call, Transport
from config.projects import Project

_FLAGS = {"ip": "0", "strict": "1", "verbose": "1"}
_READABLE = frozenset({400})
_GZIP_LEVEL = 3  # JSON shrinks to a tenth; higher levels cost several times as much for a few per cent


def json_array(records: Sequence[bytes]) -> bytes:
    """Join encoded JSON values into one encoded array."""
    return b"[" + b",".join(records) + b"]"


def array_bytes(records: Sequence[bytes]) -> int:
    """Give the size of `json_array(records)`, in bytes, without building it."""
    return sum(map(len, records)) + max(len(records) - 1, 0) + 2


class Ingestion:
    """Call the ingestion API of a project's region."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def update_profiles(self, project: Project, records: Sequence[bytes]) -> BatchResult:
        """Send a batch of profile updates, in one request.

        `ip=0` keeps our own address from becoming everybody's location. `strict=1` is what makes Mixpanel
        name the records that it refuses: without it a single good record hides all bad ones.

        Args:
            project: Whose region and integration id are used; its token must be in the records already.
            records: Encoded JSON objects (`$token`, `$distinct_id` and one operation), 1 to 2,000 of them.

        Returns:
            What became of each record, judged by the answer's body and not by its status.

        Raises:
            MixpanelError: As `Transport.send`; `Retryable` also for an answer that cannot be read.

        Source: https://developer.mixpanel.com/reference/profile-batch-update
        """
        return self._update("/engage", project, records)

    def update_groups(self, project: Project, records: Sequence[bytes]) -> BatchResult:
        """Send a batch of group updates, in one request; as `update_profiles`.

        Args:
            project: Whose region and integration id are used; its token must be in the records already.
            records: Encoded JSON objects (`$token`, `$group_key`, `$group_id` and one operation), 1 to 2,000.

        Raises:
            MixpanelError: As `update_profiles`.

        Source: https://developer.mixpanel.com/reference/group-batch-update
        """
        return self._update("/groups", project, records)

    def import_events(self, project: Project, records: Sequence[bytes]) -> BatchResult:
        """Import a batch of events, in one request, compressed.

        Mixpanel imports the valid ones of a batch and names the others: nothing that it took is sent again.

        Args:
            project: Whose region and credential are used: its service account, or else its token.
            records: Encoded JSON objects (`event` and `properties`), 1 to 2,000 of them.

        Raises:
            MixpanelError: As `update_profiles`.

        Source: https://developer.mixpanel.com/reference/import-events
        """
        account = project.service_account
        token = project.token.reveal()
        params = {"strict": "1"}
        auth = (token, "")
        if account:
            params["project_id"] = project.id
            auth = (account.username, account.secret.reveal())
        call = Call(
            "POST",
            f"{project.hosts.ingestion}/import",
            params=params,
            body=gzip.compress(json_array(records), _GZIP_LEVEL, mtime=0),
            content_encoding="gzip",
            integration_id=project.integration_id,
            auth=auth,
            readable=_READABLE,
            project_id=project.id,
            records=len(records),
        )
        return self._send(call, project, len(records))

    def _update(self, path: str, project: Project, records: Sequence[bytes]) -> BatchResult:
        call = Call(
            "POST",
            f"{project.hosts.ingestion}{path}",
            params=_FLAGS,
            body=json_array(records),
            integration_id=project.integration_id,
            readable=_READABLE,
            project_id=project.id,
            records=len(records),
        )
        return self._send(call, project, len(records))

    def _send(self, call: Call, project: Project, records: int) -> BatchResult:
        answer = self._transport.send(call)
        account = project.service_account
        secrets = (project.token.reveal(), account.secret.reveal() if account else "")
        return answers.read(answer.status, answer.body, records, answers.redactor(*secrets))
