"""Try whether a host can be reached: connect, encrypted where its address says so, and send nothing."""

import socket
import ssl
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from app.status.checks import Check

NAME = "mixpanel"
TIMEOUT_S = 5.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def reachable(url: str, project_id: str, timeout_s: float = TIMEOUT_S) -> Check:
    """Check that the host of `url` accepts a connection, with a certificate that we trust."""
    parts = urlsplit(url)
    host, encrypted = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if encrypted else 80)
    address = f"{host}:{port}"
    try:
        _connect(host, port, timeout_s, encrypted=encrypted)
    except ssl.SSLCertVerificationError as err:
        found = f"{address} shows a certificate that is not trusted ({err.verify_message})"
        return Check(
            NAME, "fail", found, "look for a proxy that opens TLS, and at this machine's time", project_id
        )
    except OSError as err:
        advice = "open the way out (firewall, DNS), or correct the address; --offline skips this"
        return Check(NAME, "fail", f"{address} cannot be reached: {_why(err)}", advice, project_id)
    if not encrypted and host not in LOOPBACK:
        return Check(
            NAME,
            "warn",
            f"{address} is reachable, unencrypted",
            "use https: the token travels there",
            project_id,
        )
    return Check(NAME, "ok", f"{address} is reachable", project_id=project_id)


def _connect(host: str, port: int, timeout_s: float, *, encrypted: bool) -> None:
    with socket.create_connection((host, port), timeout=timeout_s) as plain:
        if encrypted:
            context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)  # what the client trusts
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.wrap_socket(plain, server_hostname=host).close()


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({error.reason or 'no reason given'})"
    return (error.strerror or type(error).__name__).lower()
