"""The verdict of a check, as it is told."""

import json

from exchange.avro import Schema, lint
from exchange.cli.schema_verdict import Verdict


def verdict(*, lint_refuses):
    """The verdict of a first version without a doc."""
    schema = Schema.parse(json.dumps({"type": "record", "name": "R", "namespace": "uz.gov", "fields": []}))
    return Verdict(
        file="r.v1.avsc",
        topic=None,
        level="BACKWARD",
        against=(),
        comparison=None,
        reasons=(),
        findings=tuple(lint(schema, None)),
        readers=(),
        lint_refuses=lint_refuses,
    )


def test_what_the_house_would_have_otherwise_warns_or_refuses():
    """As the instance says: a warning that stops nobody, or an error that the registry would give, too."""
    warned, refused = verdict(lint_refuses=False), verdict(lint_refuses=True)
    assert (warned.is_bad, refused.is_bad) == (False, True)
    assert [line.partition(":")[0] for line in warned.lines()][-1] == "warning"
    assert [line.partition(":")[0] for line in refused.lines()][-1] == "error"
    assert refused.data()["refused"] is True
