"""What Avro's tests may ask for: the reference implementation."""

import pytest

from tests.avro.java_avro import JavaAvro


@pytest.fixture(scope="session")
def java():
    """Apache Avro's Java library, one process for the run."""
    oracle = JavaAvro()
    yield oracle
    oracle.close()
