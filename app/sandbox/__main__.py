"""`python -m app.sandbox`: the sandbox by itself, without Redis or settings."""

from app.sandbox.commands import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m app.sandbox")
