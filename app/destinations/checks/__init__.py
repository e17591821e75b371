"""Check records that somebody hands in: services over the API, operators who correct a dead letter."""
