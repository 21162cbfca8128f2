"""`exchange init`, `directory`, `config`: an instance on disk."""

import stat

import pytest

from exchange.cli.instance import Instance
from exchange.ids import AgencyId
from exchange.trust import SigningKey
from tests.cli.conftest import MEMBERS


def test_an_instance_has_keys_a_signed_directory_and_settings(run, home):
    """What init writes is what the processes need: each agency can sign, the directory verifies."""
    instance = Instance(home, environment={})
    directory = instance.directory()
    assert len(directory.agencies) == 9
    for agency in directory.agencies:
        credentials = instance.credentials(agency)
        assert directory.agency(agency).key_by_id(credentials.keyid) is not None
    assert instance.log_key().public == directory.audit_log.key.public
    assert len(instance.pepper) == 32


def test_private_files_are_their_owners_alone(home):
    """No key and no pepper can be read by others."""
    for path in (home / "secrets").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_home_is_never_overwritten(run, home):
    """A second init refuses and leaves the first instance's keys."""
    before = (home / "directory.json").read_bytes()
    answer = run("init", str(home.parents[0] / "home" / "exchange.yaml"))
    assert answer.code == 2
    assert "already holds an instance" in answer.err
    assert (home / "directory.json").read_bytes() == before


def test_an_interrupted_init_goes_on(run, home):
    """Killed before the settings were written, init run again makes an instance of the keys that are there."""
    key = SigningKey.load(Instance(home).key_path(AgencyId.parse("UZ/GOV/tax/registry"))).public
    (home / "exchange.yaml").unlink()
    assert run("init", str(MEMBERS), "--free-ports").code == 0
    assert Instance(home).credentials(AgencyId.parse("UZ/GOV/tax/registry")).signer.public == key


def test_a_key_that_is_not_the_directorys_is_refused(home):
    """A process does not start to sign with a key that nobody would accept."""
    agency = AgencyId.parse("UZ/GOV/tax/registry")
    path = Instance(home).key_path(agency)
    path.unlink()
    SigningKey.generate().save(path)
    with pytest.raises(Exception, match="the directory has no such key of UZ/GOV/tax/registry"):
        Instance(home).credentials(agency)


def test_a_damaged_pepper_is_named(home):
    """Pseudonyms cannot be made without the pepper, and the message says where it should be."""
    (home / "secrets" / "pepper").write_text("not hexadecimal")
    with pytest.raises(Exception, match="64 hexadecimal digits"):
        _ = Instance(home).pepper


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instance: UZ\n", "missing key"),
        ("members: [{id: UZ/GOV/tax/registry, name: Tax, subsystems: []}]\n", "names a subsystem"),
        ("threshold: 9\n", "missing key"),
        ("opertors: [a]\n", "did you mean 'operators'"),
    ],
)
def test_a_wrong_members_file_is_named_with_its_line(run, tmp_path, text, message):
    """The operators' mistakes are found where they made them, before anything is written."""
    path = tmp_path / "members.yaml"
    path.write_text(text)
    answer = run("init", str(path))
    assert answer.code == 2
    assert f"{path}:1:" in answer.err
    assert message in answer.err
    assert not (tmp_path / "home" / "exchange.yaml").exists()


def test_more_signatures_than_operators_cannot_be_asked_for(run, tmp_path):
    """A threshold that can never be met is refused."""
    path = tmp_path / "members.yaml"
    path.write_text(MEMBERS.read_text().replace("threshold: 2", "threshold: 4"))
    answer = run("init", str(path), "--free-ports")
    assert answer.code == 2
    assert "threshold 4 needs as many operators" in answer.err


def test_the_directory_is_shown_with_who_does_what(run, home):
    """One row an agency: its topics, services and the agreements it grants."""
    rows = {row["agency"]: row for row in run("directory", "show").data}
    assert rows["UZ/GOV/tax/registry"]["services"] == ["tax-standing"]
    assert rows["UZ/GOV/interior/civil"]["topics"] == ["gov.interior.civil.residence-changed.v1"]
    assert rows["UZ/GOV/interior/civil"]["grants"] == 2
    text = run("directory", "show", output="text").out
    assert "UZ/GOV/interior/civil" in text


def test_a_fresh_directory_has_a_higher_version(run, home):
    """Signing again takes the next version and the expiry that was asked for."""
    first = Instance(home).directory()
    answer = run("directory", "sign", "--days", "1")
    assert answer.data["version"] == first.version + 1
    fresh = Instance(home).directory()
    assert fresh.version == first.version + 1
    assert (fresh.expires - fresh.issued).days == 1


def test_a_directory_can_grow(run, home, tmp_path):
    """What the members file says now is signed; agencies keep their keys, a new one gets its own."""
    before = Instance(home).directory()
    path = tmp_path / "members.yaml"
    admitted = """
  - id: UZ/GOV/health
    name: Ministry of health
    subsystems:
      - name: clinics
        topics:
          - name: gov.health.clinics.visit-recorded.v1
            publishers: [visits]
"""
    path.write_text(MEMBERS.read_text() + admitted)
    assert run("directory", "sign", "--members", str(path)).data["version"] == before.version + 1
    grown = Instance(home).directory()
    health = AgencyId.parse("UZ/GOV/health/clinics")
    assert grown.topic("gov.health.clinics.visit-recorded.v1").owner == health
    assert Instance(home).credentials(health).agency == health
    assert {agency: entry.keys for agency, entry in before.agencies.items()} == {
        agency: entry.keys for agency, entry in grown.agencies.items() if agency != health
    }
    assert grown.audit_log == before.audit_log


def test_a_wrong_members_file_leaves_the_directory_as_it_is(run, home, tmp_path):
    """What the operators would regret is not signed."""
    before = (home / "directory.json").read_bytes()
    path = tmp_path / "members.yaml"
    path.write_text(MEMBERS.read_text().replace("gov.transport.flights.flight", "gov.customs.tariff.flight"))
    answer = run("directory", "sign", "--members", str(path))
    assert answer.code == 3
    assert "owner's prefix" in answer.err
    assert (home / "directory.json").read_bytes() == before


def test_one_operator_alone_cannot_sign(run, home):
    """With one key of the three on the machine, signing is refused and the old directory stays."""
    before = (home / "directory.json").read_bytes()
    for name in ("op-1", "op-2"):
        (home / "secrets" / "operators" / f"{name}.pem").unlink()
    answer = run("directory", "sign")
    assert answer.code == 2
    assert "1 keys are here; 2 must sign" in answer.err
    assert (home / "directory.json").read_bytes() == before


def test_an_altered_directory_stops_every_command(run, home):
    """Nothing works on a directory that the operators did not sign."""
    text = (home / "directory.json").read_bytes()
    (home / "directory.json").write_bytes(text.replace(b'"payload":"ey', b'"payload":"eX'))
    answer = run("directory", "show")
    assert answer.code == 3
    assert "directory.json" in answer.err


def test_settings_in_force_are_printed_without_secrets(run, home, monkeypatch):
    """File, then environment; and no key or pepper among them."""
    monkeypatch.setenv("EXCHANGE_CONSOLE_REFRESH_SECONDS", "9")
    answer = run("config")
    assert answer.data["console"]["refresh_seconds"] == 9
    assert (home / "secrets" / "pepper").read_text().strip() not in answer.out
    assert "refresh_seconds" in run("config", output="text").out


def test_a_command_without_an_instance_says_how_to_make_one(run):
    """The first mistake of a newcomer ends in one line."""
    answer = run("config")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "init" in answer.err
