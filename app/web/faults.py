"""Say what went wrong inside without saying whom it concerned.

An exception's text may quote data (a key, a value, a command's arguments), so logs get its type and the
places in our code, and answers get neither.
"""

import traceback
from pathlib import Path
from typing import Any


def describe(error: BaseException) -> dict[str, Any]:
    """Return log fields: the error's type and where it passed, innermost last, as file:line function."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "places": places}
