"""RQ's own view, below `/queues`: queues, failed jobs, workers."""
