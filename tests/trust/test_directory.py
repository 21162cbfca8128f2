"""The directory: its document, its file, and what it answers (spec 4)."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from exchange.clock import format_millis
from exchange.errors import DirectoryExpired, DocumentInvalid, SettingsError
from exchange.ids import AgencyId, ServiceId
from exchange.trust import DirectoryFile, Operators, SigningKey, key_id, load_directory, open_directory, sign_directory

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
OPERATORS = {f"op-{n}": SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3)}
TRUSTED = Operators(2, {name: key.public for name, key in OPERATORS.items()})
TAX, CIVIL, LOG = (SigningKey.from_seed(bytes([n]) * 32) for n in (11, 12, 13))
TENDERS = AgencyId.parse("UZ/GOV/procurement/tenders")
REGISTRY = AgencyId.parse("UZ/GOV/tax/registry")
STANDING = ServiceId.parse("UZ/GOV/tax/registry/tax-standing")


def key(signer, start=-1, end=365):
    """A key entry valid from `start` to `end` days from now."""
    return {
        "public": signer.public.text,
        "not_before": format_millis(NOW + timedelta(days=start)),
        "not_after": format_millis(NOW + timedelta(days=end)),
    }


def content(version=1, days=30):
    """A directory with one provider, one publisher, one agreement."""
    standing = {
        "name": "tax-standing",
        "url": "http://127.0.0.1:1",
        "individual_scheme": "uz-tin",
        "fields": ["standing"],
    }
    agreement = {
        "consumer": str(TENDERS),
        "target": str(STANDING),
        "valid_until": format_millis(NOW + timedelta(days=100)),
        "purposes": [{"purpose": "tender-eligibility", "fields": ["standing"], "caps": {"per_individual_per_day": 5}}],
    }
    moved = {"name": "gov.interior.civil.moved.v1", "publishers": ["residents"], "personal": True}
    return {
        "instance": "UZ",
        "version": version,
        "issued": format_millis(NOW),
        "expires": format_millis(NOW + timedelta(days=days)),
        "registry_url": "http://127.0.0.1:2",
        "audit_log": {"origin": "uz.exchange/audit", "url": "http://127.0.0.1:3", "key": key(LOG)},
        "gateways": [{"agency": "UZ/GOV/tax/registry", "url": "http://127.0.0.1:4"}],
        "members": [
            {
                "id": "UZ/GOV/tax",
                "name": "Tax Committee",
                "status": "active",
                "subsystems": [
                    {"name": "registry", "keys": [key(TAX)], "services": [standing], "agreements": [agreement]},
                ],
            },
            {
                "id": "UZ/GOV/interior",
                "name": "Ministry of Interior",
                "status": "suspended",
                "subsystems": [{"name": "civil", "keys": [key(CIVIL, -10, -1)], "topics": [moved]}],
            },
        ],
    }


def signed(document, *names):
    """The document signed by these operators (two of them unless said)."""
    return sign_directory(document, {name: OPERATORS[name] for name in names or ("op-1", "op-3")})


@pytest.fixture
def directory():
    """A good directory."""
    return open_directory(signed(content()), TRUSTED, NOW)


def test_a_directory_answers_who_is_who(directory):
    """Agencies, their state, their keys and what those may be used for."""
    tax = directory.agency(REGISTRY)
    assert tax.active
    assert [each.public for each in tax.keys_at(NOW)] == [TAX.public]
    assert tax.key_by_id(key_id(REGISTRY, TAX.public)).public == TAX.public
    assert tax.key_by_id("UZ/GOV/tax/registry#0000000000000000") is None
    assert directory.agency(TENDERS) is None
    assert directory.is_gateway(REGISTRY)
    assert not directory.is_gateway(TENDERS)


def test_a_key_is_good_only_within_its_validity(directory):
    """An expired key is still listed, and good for nothing now."""
    civil = directory.agency(AgencyId.parse("UZ/GOV/interior/civil"))
    assert not civil.active
    assert civil.keys_at(NOW) == ()
    assert len(civil.keys_at(NOW - timedelta(days=5))) == 1


def test_a_directory_answers_who_may_do_what(directory):
    """Topics with their publishers, services with their fields, agreements with purposes, fields and caps."""
    topic = directory.topic("gov.interior.civil.moved.v1")
    assert topic.publishers == {"UZ/GOV/interior/civil/residents"}
    assert topic.personal
    assert [each.name for each in directory.topics()] == [topic.name]
    assert directory.service(STANDING).fields == ("standing",)
    agreement = directory.agreement(TENDERS, str(STANDING))
    grant = agreement.purposes["tender-eligibility"]
    assert (agreement.provider, grant.fields, grant.basis) == (REGISTRY, {"standing"}, "consent")
    assert (grant.caps.per_individual_per_day, grant.caps.per_consumer_per_hour) == (5, None)
    assert directory.topic("gov.x.y.z.v1") is None
    assert directory.agreement(REGISTRY, str(STANDING)) is None


def test_a_statute_is_a_basis_by_its_reference():
    """A purpose that names a law needs no consent, and says which law."""
    document = content()
    document["members"][0]["subsystems"][0]["agreements"][0]["purposes"][0]["statute"] = "Law 1, art. 2"
    opened = open_directory(signed(document), TRUSTED, NOW)
    assert opened.agreement(TENDERS, str(STANDING)).purposes["tender-eligibility"].basis == "statute: Law 1, art. 2"


def test_an_expired_directory_is_refused_and_says_what_to_do(directory):
    """Past the expiry everything is denied."""
    later = NOW + timedelta(days=30)
    with pytest.raises(DirectoryExpired, match="exchange directory sign"):
        directory.require_current(later)
    with pytest.raises(DirectoryExpired):
        open_directory(signed(content()), TRUSTED, later)


def test_one_operator_alone_admits_nobody():
    """Two of the three must have signed."""
    with pytest.raises(DocumentInvalid, match=r"1 good signature\(s\) of the 2"):
        open_directory(signed(content(), "op-2"), TRUSTED, NOW)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("members", 0, "id"), "KZ/GOV/tax", "not a member of instance UZ"),
        (("members", 0, "id"), "UZ/GOV/tax/registry", "is not a"),
        (("members", 0, "status"), "retired", "expected active or suspended"),
        (("members", 0, "subsystems", 0, "keys", 0, "public"), "AAAA", "wrong"),
        (("members", 0, "subsystems", 0, "keys", 0, "not_after"), "tomorrow", "RFC 3339"),
        (("members", 1, "subsystems", 0, "topics", 0, "name"), "gov.tax.registry.moved.v1", "owner's prefix"),
        (("members", 1, "subsystems", 0, "topics", 0, "publishers"), ["Residents!"], "not a publisher"),
        (("expires",), 7, "Expected `str`"),
        (("surprise",), 7, "unknown field"),
    ],
)
def test_a_wrong_document_is_not_signed(path, value, message):
    """What the operators would regret is refused before they sign, with the place."""
    document = copy.deepcopy(content())
    node = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    with pytest.raises(DocumentInvalid, match=message):
        signed(document)


def test_an_operators_file_reads_back(tmp_path):
    """What a member was given on admission is what it trusts."""
    TRUSTED.save(tmp_path / "operators.json")
    assert Operators.load(tmp_path / "operators.json") == TRUSTED


@pytest.mark.parametrize("text", ["", "{}", '{"threshold": 3, "keys": {}}', '{"threshold": 1, "keys": {"a": "AAAA"}}'])
def test_a_wrong_operators_file_is_named(tmp_path, text):
    """Trust that cannot be read stops the process."""
    (tmp_path / "operators.json").write_text(text)
    with pytest.raises(SettingsError, match=r"operators\.json"):
        Operators.load(tmp_path / "operators.json")


def test_a_missing_file_says_what_creates_it(tmp_path):
    """Neither file appears by itself."""
    with pytest.raises(SettingsError, match="exchange init"):
        Operators.load(tmp_path / "operators.json")
    with pytest.raises(SettingsError, match="exchange init"):
        load_directory(tmp_path / "directory.json", TRUSTED, NOW)


class MovedClock:
    """A clock that stands where the test puts it, for the time of day and for intervals."""

    def __init__(self):
        self.moment = NOW

    def now(self):
        return self.moment

    def monotonic(self):
        return self.moment.timestamp()


@pytest.fixture
def followed(tmp_path):
    """A signed file on disk, the DirectoryFile that follows it, and its clock."""
    path, clock = tmp_path / "directory.json", MovedClock()
    path.write_bytes(signed(content()))
    return path, DirectoryFile(path, TRUSTED, clock, monotonic=clock.monotonic), clock


def test_a_fresh_directory_is_taken_up_without_a_restart(followed):
    """Within a second of being written, a signed file with a higher version counts."""
    path, current, clock = followed
    path.write_bytes(signed(content(version=2)))
    assert current().version == 1
    clock.moment += timedelta(seconds=1)
    assert current().version == 2


@pytest.mark.parametrize("replacement", ["altered", "one operator", "rollback", "removed"])
def test_a_directory_that_cannot_be_trusted_changes_nothing(followed, replacement):
    """An altered, under-signed, older or missing file leaves the snapshot, until that expires."""
    path, current, clock = followed
    path.write_bytes(signed(content(version=5)))
    clock.moment += timedelta(seconds=1)
    assert current().version == 5
    if replacement == "removed":
        path.unlink()
    else:
        good = signed(content(version=4)) if replacement == "rollback" else signed(content(version=6), "op-1")
        path.write_bytes(good.replace(b"a", b"b", 1) if replacement == "altered" else good)
    clock.moment += timedelta(seconds=1)
    assert current().version == 5
    clock.moment += timedelta(days=31)
    with pytest.raises(DirectoryExpired):
        current().require_current(clock.now())


def test_an_altered_file_stops_a_process_at_start(tmp_path):
    """A process does not start on a directory that nobody signed, and says which file."""
    envelope = bytearray(signed(content()))
    place = envelope.index(b'"payload":"') + 40
    envelope[place] = envelope[place] ^ 1
    (tmp_path / "directory.json").write_bytes(envelope)
    with pytest.raises(DocumentInvalid, match=r"directory\.json"):
        load_directory(tmp_path / "directory.json", TRUSTED, NOW)
