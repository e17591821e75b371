"""Who runs a command, by the operating system's word."""

import os
import platform
import pwd

from app.access.audit import Actor


def operator() -> Actor:
    """Return who runs this process, by the operating system's word; who became another with sudo is named."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, a number without a name
        user = str(os.getuid())
    before = os.environ.get("SUDO_USER")
    return Actor("user", user, f"{platform.node()} (sudo by {before})" if before else platform.node())
