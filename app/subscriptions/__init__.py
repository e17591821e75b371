"""Webhook subscriptions: the change log, posted to whoever subscribes, signed and in order."""
