"""Which address a request came from, and whether by TLS."""

import ipaddress

from flask import Request


def client_address(request: Request, trusted_proxies: int) -> str:
    """Return the client's address; empty where nobody knows it.

    Args:
        request: that came.
        trusted_proxies: how many stand between the client and us. Each adds the address that it was called
            from to X-Forwarded-For, at the end; what stands before theirs the client may have made up.
    """
    peer = request.remote_addr or ""
    if not trusted_proxies:
        return peer
    told = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    if len(told) < trusted_proxies:
        return peer
    forwarded = told[-trusted_proxies].strip()
    try:
        ipaddress.ip_address(forwarded)
    except ValueError:
        return peer
    return forwarded


def came_by_tls(request: Request, trusted_proxies: int) -> bool:
    """Say whether the client's own connection was by TLS, by the word of the proxies where there are some."""
    if not trusted_proxies:
        return request.is_secure
    told = ",".join(request.headers.getlist("X-Forwarded-Proto")).split(",")
    # Each may add what it was called by, or put it in the place of what stood there.
    outermost = told[-trusted_proxies] if len(told) >= trusted_proxies else told[0]
    return outermost.strip().lower() == "https" or request.is_secure
