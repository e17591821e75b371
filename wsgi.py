"""For WSGI servers: `gunicorn -c config/gunicorn.py wsgi:app`."""

from app import app_from_environment

app = app_from_environment()
