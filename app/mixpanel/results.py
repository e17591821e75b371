"""What became of the records of a request: the words that the client and its callers share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """Name a record that was not accepted.

    Attributes:
        index: Position in the sequence of records the caller handed over, from 0.
        reason: One line, at most 200 characters, token removed. It can quote a value of the record, so it
            belongs into a dead letter (which holds the record anyway), never into a log line.
        response: What Mixpanel said about it, at most 500 characters, token removed. The same caution.
        isolated: False when the record was refused together with others and not looked at alone, because the
            search for the culprit reached its cap.
        outcome_unknown: True when the record may have been applied although it is reported here (only for
            records that must not be sent twice).
    """

    index: int
    reason: str
    response: str = ""
    isolated: bool = True
    outcome_unknown: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Say what one request did.

    Attributes:
        accepted: Records that were accepted.
        failures: Records that were refused by name, by index.
        unsettled: Records that were neither: the request was refused without saying which records are at
            fault, or its numbers do not add up. With `accepted` 0 none of the unnamed records was applied;
            otherwise some were, and it is not known which.
        reason: Why, when `unsettled` is not 0; the same limits as `RecordFailure.reason`.
        response: The answer, when `unsettled` is not 0; the same limits as `RecordFailure.response`.
    """

    accepted: int
    failures: tuple[RecordFailure, ...] = ()
    unsettled: int = 0
    reason: str = ""
    response: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Say what became of a batch that was delivered to its end: accepted + len(refused) is its length.

    Attributes:
        accepted: Records that were accepted.
        refused: All others, by index.
        requests: Requests that it took.
    """

    accepted: int
    refused: tuple[RecordFailure, ...] = ()
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Say how far a batch had come when an error ended its delivery.

    Attributes:
        accepted: Indices of accepted records: they need not be sent again.
        refused: Records that were refused: they would be again.
        in_flight: Indices of the records in the request that failed. Where the error's `outcome_unknown` is
            true, these (and only these) may have been applied.
    """

    accepted: frozenset[int] = frozenset()
    refused: tuple[RecordFailure, ...] = ()
    in_flight: frozenset[int] = frozenset()
