"""Mixpanel on a laptop: the ingestion API and the cohort-sync sender, as the documentation says they behave.

It stands in for Mixpanel in the demo, in tests and for people who develop a receiver of their own. It shares
no code with the rest of this project (it imports nothing of `app` outside this package, nor `config` or
`workers`): a misunderstanding in the client must not be repeated here, where it would hide.
"""
