"""The change log as events for whoever subscribes: CloudEvents, in the log's order, with nothing lost.

Server-sent events and webhook subscriptions read here; who reads the stream in Redis has the log itself. What
an event means is documented in `docs/events.md`, its data in `docs/events/`.
"""
