"""How the relay is: read models for commands, dashboard and HTTP API alike. Nothing here prints or writes.

`overview` is everything at a glance, `cohorts` one cohort closely, `readiness` what `/readyz` goes by, and
`diagnosis` every check there is, each with what to do.
"""
