"""Write the reference page: `python -m app.mixpanel.catalog > docs/mixpanel-api.md`."""

import sys

from app.mixpanel.catalog.page import render

if __name__ == "__main__":
    sys.stdout.write(render())
