"""Server-sent events: the log, as it grows, over a connection that stays open."""
