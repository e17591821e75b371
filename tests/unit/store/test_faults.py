"""What Redis's errors mean: a fault of one command, or a Redis that refuses everything for now."""

import pytest
from redis.exceptions import (
    BusyLoadingError,
    ExecAbortError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.store.faults import is_fault, redis_trouble, redis_word

REDIS_6 = "Error running script (call to f_0): @user_script:1: @user_script: 1: -OOM command not allowed"
REFUSED_FOR_NOW = [
    OutOfMemoryError("command not allowed when used memory > 'maxmemory'.", status_code="OOM"),
    ResponseError(REDIS_6, status_code="ERR"),
    ReadOnlyError("You can't write against a read only replica.", status_code="READONLY"),
    ResponseError("NOREPLICAS Not enough good replicas to write."),
    ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    ResponseError("BUSY Redis is busy running a script."),
    ExecAbortError("Transaction discarded because of previous errors.", status_code="EXECABORT"),
    BusyLoadingError("Redis is loading the dataset in memory", status_code="LOADING"),
    RedisTimeoutError("Timeout reading from socket"),
]
FAULTS = [
    ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    ResponseError("user_script:3: attempt to perform arithmetic on a nil value", status_code="ERR"),
]


@pytest.mark.parametrize("error", REFUSED_FOR_NOW, ids=str)
def test_what_redis_refuses_for_now_is_no_fault_of_the_command(error: RedisError) -> None:
    assert not is_fault(error)


@pytest.mark.parametrize("error", FAULTS, ids=str)
def test_what_redis_would_refuse_again_is_a_fault(error: RedisError) -> None:
    assert is_fault(error)


def test_a_script_of_redis_6_that_ran_out_of_memory_says_so() -> None:
    error = ResponseError(REDIS_6, status_code="ERR")
    assert redis_word(error) == "OOM"
    assert redis_trouble(error).found == "is out of memory"
