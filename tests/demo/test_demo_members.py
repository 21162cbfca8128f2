"""The members file: it makes a directory, and says the same as adapters and schemas do."""

from datetime import UTC, datetime

import pytest
from demo_files import ROOT
from ruamel.yaml import YAML

from exchange.avro import Schema
from exchange.cli.members_file import directory_content, read_members
from exchange.ids import AgencyId, ServiceId
from exchange.trust import Operators, SigningKey, open_directory, sign_directory

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
NAMES = ("REGISTRY", "AUDIT", "GATEWAY", "TAX", "CIVIL")
URLS = {f"{name}_URL": f"http://127.0.0.1:{port}" for port, name in enumerate(NAMES, start=8100)}
FILE = ROOT / "deploy" / "demo" / "members.yaml"
TENDERS, BENEFITS = AgencyId.parse("UZ/GOV/procurement/tenders"), AgencyId.parse("UZ/GOV/social/benefits")
STANDING, HOME = "UZ/GOV/tax/registry/tax-standing", "UZ/GOV/interior/civil/residence"
MOVES = "gov.interior.civil.residence-changed.v1"


@pytest.fixture(scope="module")
def directory():
    """The directory that an operator signs from the file."""
    members = read_members(FILE, URLS)
    key = SigningKey.from_seed(bytes(32))
    content = directory_content(members, dict.fromkeys(members.agencies(), key.public), key.public, NOW)
    trusted = Operators(1, {"op-1": key.public})
    return open_directory(sign_directory(content, {"op-1": key}), trusted, NOW)


def adapters():
    """Every adapter file as YAML has it."""
    return [YAML(typ="safe").load(path.read_text(encoding="utf-8")) for path in (ROOT / "adapters").rglob("*.yaml")]


def test_three_operators_of_whom_two_sign():
    """No operator admits a member alone."""
    members = read_members(FILE, URLS)
    assert (members.instance, members.operators, members.threshold) == ("UZ", ["op-1", "op-2", "op-3"], 2)


def test_eight_agencies_and_the_gateway(directory):
    """The demo's cast, all active."""
    names = [str(agency).removeprefix("UZ/GOV/") for agency in directory.agencies]
    assert sorted(names) == [
        "customs/tariff",
        "egov/gateway",
        "hydromet/observations",
        "interior/civil",
        "procurement/tenders",
        "social/benefits",
        "statistics/territory",
        "tax/registry",
        "transport/flights",
    ]
    assert all(agency.active for agency in directory.agencies.values())
    assert directory.is_gateway(AgencyId.parse("UZ/GOV/egov/gateway"))


def test_topics_are_as_the_demo_needs_them(directory):
    """Five topics: two compacted, one in four partitions, one personal."""
    topics = {topic.name: topic for topic in directory.topics()}
    assert len(topics) == 5
    assert {name.split(".")[1] for name, topic in topics.items() if topic.compacted} == {"statistics", "customs"}
    assert {name: topic.partitions for name, topic in topics.items() if topic.partitions > 1} == {
        "gov.transport.flights.flight-departed.v1": 4
    }
    assert [name for name, topic in topics.items() if topic.personal] == [MOVES]


def test_adapters_publish_what_the_directory_lets_them(directory):
    """Every publisher of an adapter file may write to its topic, and none is listed that no adapter has."""
    allowed = {(topic.name, publisher) for topic in directory.topics() for publisher in topic.publishers}
    written = {
        (entry["topic"], f"{adapter['agency']}/{entry['name']}")
        for adapter in adapters()
        for entry in adapter.get("publishers", [])
    }
    assert written == allowed


def test_adapters_answer_what_the_directory_lists(directory):
    """Every service of an adapter file is in the directory, with the same scheme and fields."""
    for adapter in adapters():
        for entry in adapter.get("services", []):
            service = directory.service(ServiceId.parse(f"{adapter['agency']}/{entry['name']}"))
            assert service.individual_scheme == entry["individual"]["scheme"]
            assert list(service.fields) == list(entry["fields"])


def test_personal_topics_have_their_agreements(directory):
    """Who subscribes to personal data was granted every field that it keeps."""
    schema = Schema.parse((ROOT / "schemas/interior/residence-changed.v1.avsc").read_text(encoding="utf-8"))
    for adapter in adapters():
        for entry in adapter.get("subscriptions", []):
            agreement = directory.agreement(AgencyId.parse(adapter["agency"]), entry["topic"])
            (grant,) = agreement.purposes.values()
            assert set(entry["columns"].values()) == grant.fields
            assert grant.fields <= set(schema.field_names())


def test_procurement_needs_the_bidder_s_consent(directory):
    """Standing and debt, for tenders, and only with consent."""
    agreement = directory.agreement(TENDERS, STANDING)
    grant = agreement.purposes["tender-eligibility"]
    assert grant.basis == "consent"
    assert grant.fields == {"standing", "debt_uzs"}
    assert agreement.valid_until > NOW


def test_social_protection_has_a_statute(directory):
    """Region and district of one resident, and the residence events, under the law it cites."""
    lookup = directory.agreement(BENEFITS, HOME).purposes["benefit-assignment"]
    assert lookup.fields == {"region_code", "district_code"}
    assert lookup.statute == "Law of the Republic of Uzbekistan on social protection, art. 12"
    events = directory.agreement(BENEFITS, MOVES).purposes["benefit-administration"]
    assert events.statute.startswith("Law of the Republic of Uzbekistan")


def test_granted_fields_are_fields_of_the_service(directory):
    """No agreement grants what its service does not have."""
    for agreement in directory.agreements:
        if "/" in agreement.target:
            service = directory.service(ServiceId.parse(agreement.target))
            for grant in agreement.purposes.values():
                assert grant.fields <= set(service.fields)


def test_each_service_has_an_address_of_its_own(directory):
    """The placeholders are filled with the addresses that init gives."""
    urls = {str(service.id): service.url for agency in directory.agencies.values() for service in agency.services}
    assert urls == {STANDING: URLS["TAX_URL"], HOME: URLS["CIVIL_URL"]}
    assert directory.registry_url == URLS["REGISTRY_URL"]
    assert directory.audit_log.url == URLS["AUDIT_URL"]
    assert [gateway.url for gateway in directory.gateways] == [URLS["GATEWAY_URL"]]
