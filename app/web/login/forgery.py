"""Forms that only our own pages can have made: the one module that speaks to Flask-WTF."""

from typing import Final

from flask import Flask
from flask_wtf.csrf import CSRFError, CSRFProtect

FORGED: Final[type[Exception]] = CSRFError
_protection: Final = CSRFProtect()


def add_forgery_check(app: Flask) -> None:
    """Let templates call `csrf_token()`, and views ask for the check; the API has no cookies to be abused."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)  # as long as the session
    _protection.init_app(app)


def refuse_forged() -> None:
    """Refuse the request that is being answered if it changes something and is not of a form of ours.

    Raises:
        CSRFError: it is not.
    """
    _protection.protect()
