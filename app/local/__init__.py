"""Everything of cohort-relay on one machine: what `make run` starts (`python -m app.local`)."""
