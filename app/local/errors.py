"""What can keep a local run from starting, or end it."""


class LocalError(Exception):
    """A run cannot start or go on. The message is for the person at the terminal and says what to do."""


class StopRequestedError(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM or SIGHUP."""
