"""The first token for the API: made by the first run, and kept like everything else that it makes up.

It may do everything (scope `admin`), as may whoever starts a run. It is made only where Redis knows no token
at all: one that was revoked stays so, and a Redis that others use gets nothing added behind their backs.
"""

import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from redis import RedisError

from app.access.audit import Audit, Entry
from app.access.operator import operator
from app.access.tokens import Tokens
from app.local import credentials
from app.store.connection import connect


def first_token(
    redis_url: str, file: Path, made_up: Mapping[str, str], *, demo: bool, audit_cap: int
) -> str | None:
    """Return the token of this directory's runs, making it if it is the first.

    Args:
        redis_url: where tokens are known.
        file: where it is kept, readable by its owner only.
        made_up: what the file holds.
        demo: of a demo, which has a Redis, and so a token, of its own.
        audit_cap: how many entries the audit log keeps.

    Returns:
        the token; None if there are only others, or Redis does not answer.
    """
    name = "DEMO_API_TOKEN" if demo else "API_TOKEN"
    now_ms = time.time_ns() // 1_000_000
    with closing(connect(redis_url)) as redis:
        tokens = Tokens(redis)
        try:
            known = tokens.find(made_up.get(name, ""))
            if known and not known.expired(now_ms):
                return made_up[name]
            if tokens.all():
                return None
            token, text = tokens.create("make run", ["admin"], now_ms)
            with suppress(RedisError):  # the token is there, and this is the only time that it can be told
                Audit(redis, audit_cap).write(Entry(operator(), "make run", {"token_id": token.id}, "ok", 0))
        except RedisError:
            return None
    credentials.keep(file, name, text.reveal())
    return text.reveal()
