"""Resyncs: members logged again (`replay`), or compared with what Mixpanel says (`reconcile`).

`resyncs` asks for them, shows them, cancels them; `reading` is the lane that reads a cohort from Mixpanel;
`estimate` says how long that takes. What changes a cohort is the apply lane's: `app/cohorts/applying`.
"""
