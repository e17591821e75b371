"""The ingestion API: what it is asked for, and what its answers mean for each record."""

from collections.abc import Sequence

from app.mixpanel import answers
from app.mixpanel.results import BatchResult
from app.mixpanel.transport import Call, Transport
from config.projects import Project

_FLAGS = {"ip": "0", "strict": "1", "verbose": "1"}
_BAD_REQUEST = 400


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
        call = Call(
            "POST",
            f"{project.hosts.ingestion}/engage",
            params=_FLAGS,
            body=json_array(records),
            integration_id=project.integration_id,
            readable=frozenset({_BAD_REQUEST}),
        )
        answer = self._transport.send(call)
        return answers.read(
            answer.status, answer.body, len(records), answers.redactor(project.token.reveal())
        )
