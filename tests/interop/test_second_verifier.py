"""The second verifier, which knows nothing of the project, takes what was published to a real Kafka."""

from __future__ import annotations

import pytest

from tests.interop.published import OPERATORS, published_evidence
from tests.vectors.independent import Refused, verify_evidence


async def test_evidence_of_real_records_holds_to_the_second_verifier(kafka):
    """Each event of a flush is read from its file; with another record's value it is refused at step 7."""
    operators = {"threshold": OPERATORS.threshold, "keys": {keyid: key.text for keyid, key in OPERATORS.keys.items()}}
    _, files = await published_evidence(kafka, count=4)
    found = [verify_evidence(data, operators) for data in files]
    assert found == [{"n": number, "text": f"№ {number}"} for number in range(4)]
    with pytest.raises(Refused) as refused:
        verify_evidence(files[0].replace(b'"key":"key-0"', b'"key":"key-1"'), operators)
    assert refused.value.args == (7, "inclusion_invalid")
