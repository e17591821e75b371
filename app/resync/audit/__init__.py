"""The audit: whether the copies of cohorts are still Mixpanel's.

One query lists all cohorts with their counts. Those that differ are read, as a reconcile that only looks, and
whoever differs for no other reason than that the next sync had not come yet is left out. What remains is
drift. `judging` decides, `findings` keeps what was found, `auditing` does it, in the resync lane and behind
whatever operators ask for.
"""
