from tests.integration.cohorts.conftest import quiet

__all__ = ["quiet"]
