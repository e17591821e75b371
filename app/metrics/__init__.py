"""Counters and histograms of all processes together.

A process adds up in memory (`recorder`), and once a second adds what there is to one hash in Redis (`stored`,
`flushing`), so that it does not matter which process is asked, nor which have ended since. What Redis counts
anyway (pages, changes, dead letters, ...) is not counted here again: `app.status.exposition` reads it.
"""
