"""Erasing people: everything that the relay holds of somebody goes, wherever it is (docs/erasure.md)."""
