"""What is measured: for each discipline, the requests of one round.

Lookups and checks are spread over all subjects, and no check or registration is ever sent twice: what a cache could
keep of them is as little as it will ever be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bench.registry import corpus
from bench.registry.corpus import Subject, Version
from bench.registry.load import Request

_TYPES = "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"
_REGISTRATIONS = 1_000
_CHECKS = 10_000
_SAMPLE = 20
"""Of so many answers one is read to the last byte."""


@dataclass(frozen=True, slots=True)
class Known:
    """The subjects of the registry: those that stay as they are, and those that rounds add versions to."""

    still: list[Subject]
    growing: list[Subject]

    @classmethod
    def of(cls, subjects: list[Subject]) -> Known:
        """Every fifth one grows."""
        growing = subjects[::5]
        return cls([each for number, each in enumerate(subjects) if number % 5], growing)

    def versions(self) -> list[Version]:
        """Every version of the subjects that stay."""
        return [version for subject in self.still for version in subject.versions]


def reads(known: Known, mark: str) -> list[Request]:
    """In equal parts: a schema by id, a subject's newest version, its versions, its level."""
    random = Random(mark)
    made = []
    for each in random.sample(known.still, len(known.still)):
        version, newest = random.choice(each.versions), each.versions[-1]
        made += [
            _get(f"/schemas/ids/{version.id}", {"schema": version.text}),
            _get(
                f"/subjects/{each.name}/versions/latest",
                {"subject": each.name, "version": newest.number, "id": newest.id, "schema": newest.text},
            ),
            _get(f"/subjects/{each.name}/versions", [other.number for other in each.versions]),
            _get(f"/config/{each.name}?defaultToGlobal=true", {"compatibilityLevel": "BACKWARD"}),
        ]
    return _sampled(made)


def lookups(known: Known, mark: str) -> list[Request]:
    """Which version is this? Of every version once, three in four as it was registered, one laid out otherwise."""
    random = Random(mark)
    versions = known.versions()
    made = []
    for each in random.sample(versions, len(versions)):
        text = each.text if random.random() < 0.75 else json.dumps(json.loads(each.text), ensure_ascii=False, indent=1)
        holds = {"subject": each.subject, "version": each.number, "id": each.id}
        made.append(_post(f"/subjects/{each.subject}", text, holds))
    return _sampled(made)


def checks(known: Known, mark: str) -> list[Request]:
    """May this follow the newest? Three in four may."""
    random = Random(mark)
    made = []
    for number, each in enumerate(random.choices(known.still, k=_CHECKS)):
        fits = random.random() < 0.75
        field = f"{mark}_{number}"
        text = each.next_text(field) if fits else each.broken_text(field)
        path = f"/compatibility/subjects/{each.name}/versions/latest"
        made.append(_post(path, text, {"is_compatible": fits}))
    return _sampled(made)


def new_subjects(_: Known, mark: str) -> list[Request]:
    """Registrations, each of a new schema in a new subject."""
    return [_register(*corpus.new_subject(f"new-{mark}", number)) for number in range(_REGISTRATIONS)]


def new_versions(known: Known, mark: str) -> list[Request]:
    """Registrations, each of a new schema: one in a new subject, one as the next version of a subject, in turn."""
    made = [_register(*corpus.new_subject(f"half-{mark}", number)) for number in range(_REGISTRATIONS)]
    for number in range(1, _REGISTRATIONS, 2):
        subject = known.growing[number // 2 % len(known.growing)]
        made[number] = _register(subject.name, subject.next_text(f"{mark}_{number}"))
    return made


def big_checks(texts: dict[str, str], mark: int, count: int) -> list[Request]:
    """May these 2 MB follow those 2 MB? Each kind in turn, each with a text of its own."""
    made = []
    for number in range(count):
        subject = list(texts)[number % len(texts)]
        text = corpus.changed_big(texts[subject], mark * count + number)
        path = f"/compatibility/subjects/{subject}/versions/latest"
        made.append(_post(path, text, {"is_compatible": True}))
    return made


def _get(path: str, holds: Any) -> Request:
    head = f"GET {path} HTTP/1.1\r\nHost: registry\r\nAccept: {_TYPES}\r\nUser-Agent: bench\r\n\r\n"
    return Request(head.encode(), holds=holds)


def _register(subject: str, text: str) -> Request:
    return _post(f"/subjects/{subject}/versions", text, None)


def _post(path: str, text: str, holds: Any) -> Request:
    body = json.dumps({"schema": text}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: registry\r\nAccept: {_TYPES}\r\nUser-Agent: bench\r\n"
        f"Content-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Request(head.encode() + body, holds=holds)


def _sampled(requests: list[Request]) -> list[Request]:
    """With expectations of bodies for some only: checking each would take the cores from who is measured."""
    return [each if number % _SAMPLE == 0 else replace(each, holds=None) for number, each in enumerate(requests)]
