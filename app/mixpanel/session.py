"""A pool of connections that keeps to itself: no proxies, no cookies, no retries of its own."""

import ssl
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar


class _Adapter(HTTPAdapter):
    """Connect with TLS 1.2 or later and leave every retry to the lane."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=tls_context(), **pool_kwargs)


@cache
def tls_context() -> ssl.SSLContext:
    """Return what all pools of this process trust: reading the certificates takes 16 ms each time."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def make_session(connections: int) -> requests.Session:
    """Make a session that keeps so many connections to each host."""
    session = requests.Session()
    session.trust_env = False  # no proxy, .netrc or certificate setting gets in by a side door
    session.headers["User-Agent"] = "cohort-relay"
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
