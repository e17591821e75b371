"""The apply lane: from waiting pages to membership and change log.

`run` drains a project's inbox; `pages` applies one page; `tasks` carries out what a completed attempt leaves
to be done; `renaming` replaces an old cohort name on every member; `resyncing` begins and ends resyncs, of
which `replaying` logs members again; `changes` collects one step's changes;
`work` holds what one run knows.
"""
