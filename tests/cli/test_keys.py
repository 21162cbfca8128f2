"""`exchange keys`, and keys in an HSM, as an operator uses them."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

from exchange.cli.instance import Instance
from exchange.errors import KeyUnavailable, SettingsError
from exchange.ids import AgencyId
from exchange.trust import SigningKey, key_id
from tests.fakes.soft_hsm import MODULE

TAX = AgencyId.parse("UZ/GOV/tax/registry")


@pytest.fixture
def rotate(run, home, tmp_path):
    """`rotate("0s")` makes the entry of a new key and lets the operators sign it; gives the entry."""

    def call(starts_in):
        file = tmp_path / "entry.json"
        entry = run("keys", "rotate", str(TAX), "--starts-in", starts_in, "--out", str(file))
        assert entry.code == 0, entry.err
        assert run("directory", "sign", "--add-key", str(file)).code == 0
        return entry.data

    return call


@pytest.fixture
def settings(home):
    """`settings({...})` writes where keys are into exchange.yaml."""

    def call(keys):
        yaml, path = YAML(), home / "exchange.yaml"
        content = yaml.load(path.read_text())
        content["keys"] = keys
        with path.open("w") as file:
            yaml.dump(content, file)

    return call


def states(run, *agency):
    """Public key: state, as `keys show` lists them."""
    return {row["public"]: row["state"] for row in run("keys", "show", *agency).data}


def public_of(home):
    """What the instance signs with for the tax registry."""
    return Instance(home).credentials(TAX).signer.public.text


def test_show_lists_every_agency_with_a_key_here(run, home):
    """Each row says whose, where, until when, and that it signs."""
    rows = run("keys", "show").data
    assert len(rows) == len(Instance(home).directory().agencies)
    row = next(each for each in rows if each["keyid"].startswith(f"{TAX}#"))
    assert row["state"] == "signs"
    assert row["place"] == str(Instance(home).key_path(TAX))
    assert row["public"] == public_of(home)


def test_a_rotation_from_the_new_file_to_its_first_signature(run, home, rotate):
    """The new key waits for its day, then signs; the old one stays valid, for what is on its way."""
    old = public_of(home)
    entry = rotate("1d")
    assert states(run, str(TAX)) == {old: "signs", entry["public"]: "not yet valid"}
    assert public_of(home) == old
    entry = rotate("0s")
    assert states(run, str(TAX))[old] == "valid"
    assert public_of(home) == entry["public"]


def test_rotate_says_again_what_it_said(run, home):
    """Where a new key is here and not published, no other one is made."""
    first, second = (run("keys", "rotate", str(TAX)).data["public"] for _ in range(2))
    assert first == second
    assert states(run, str(TAX))[first] == "not in the directory"


def test_two_new_keys_are_one_too_many(run, home):
    """Which of them is meant is for a person to say."""
    for name in ("a", "b"):
        SigningKey.generate().save(Instance(home).key_path(TAX).with_name(f"registry.{name}.pem"))
    answer = run("keys", "rotate", str(TAX))
    assert answer.code == 2
    assert "2 keys that the directory does not have" in answer.err


def test_a_new_key_has_the_passphrase_of_the_others(run, home, monkeypatch):
    """A rotation does not put a key onto the disk in the clear."""
    path = Instance(home).key_path(TAX)
    key = SigningKey.load(path)
    path.unlink()
    key.save(path, b"correct horse")
    monkeypatch.setenv("EXCHANGE_KEY_PASSPHRASE", "correct horse")
    run("keys", "rotate", str(TAX))
    (new,) = path.parent.glob("registry.*.pem")
    assert b"ENCRYPTED" in new.read_bytes()


def test_a_key_that_leaked_is_ended(run, home, rotate):
    """From the new directory on it signs nothing, and the other key does."""
    old = SigningKey.load(Instance(home).key_path(TAX)).public
    entry = rotate("0s")
    assert run("directory", "sign", "--end-key", key_id(TAX, old)).code == 0
    assert states(run, str(TAX)) == {old.text: "expired", entry["public"]: "signs"}


def test_check_signs_once_and_says_until_when(run, home):
    """The answer names the key; a key that ends soon is said."""
    answer = run("keys", "check", str(TAX))
    assert answer.code == 0
    assert answer.data["keyid"] == Instance(home).credentials(TAX).keyid
    assert answer.err == ""


def test_check_refuses_a_key_that_is_not_valid(run, home):
    """Exit code 3, and what to do."""
    keyid = Instance(home).credentials(TAX).keyid
    run("directory", "sign", "--end-key", keyid)
    answer = run("keys", "check", str(TAX))
    assert answer.code == 3
    assert f"{keyid} is expired: `exchange keys rotate {TAX}`" in answer.err
    assert states(run, str(TAX)) == {row["public"]: "expired" for row in run("keys", "show", str(TAX)).data}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agency": "UZ/GOV/none/such"}, "not in the directory"),
        ({"agency": "tax"}, "not what `exchange keys rotate --out` writes"),
        ({"public": "AAAA"}, "not what"),
        ({"not_after": "2020-01-01T00:00:00.000Z"}, "not_before is not before not_after"),
        ({"more": 1}, "unknown field `more`"),
    ],
)
def test_a_wrong_entry_is_refused_and_nothing_signed(run, home, tmp_path, change, message):
    """The directory stays as it was."""
    version = Instance(home).directory().version
    entry = run("keys", "rotate", str(TAX)).data | change
    (tmp_path / "entry.json").write_text(json.dumps(entry))
    answer = run("directory", "sign", "--add-key", str(tmp_path / "entry.json"))
    assert answer.code == 2
    assert message in answer.err
    assert Instance(home).directory().version == version


def test_a_key_is_added_once_and_an_unknown_one_not_ended(run, rotate, tmp_path):
    """Both say what is wrong."""
    rotate("1d")
    answer = run("directory", "sign", "--add-key", str(tmp_path / "entry.json"))
    assert "has that key already" in answer.err
    answer = run("directory", "sign", "--end-key", f"{TAX}#0123456789abcdef")
    assert "no such key (`exchange keys show UZ/GOV/tax/registry`)" in answer.err


def test_an_unknown_agency_and_a_wrong_duration_are_refused(run, home):
    """Usage errors, with what would be right."""
    assert "the operators admit members" in run("keys", "show", "UZ/GOV/none/such").err
    answer = run("keys", "rotate", str(TAX), "--starts-in", "tomorrow")
    assert answer.code == 2
    assert "90m, 24h, 7d" in answer.err


def test_an_agencys_key_may_be_in_a_file_elsewhere(run, home, settings, tmp_path):
    """The settings name it, and a rotation puts the next one beside it."""
    here = Instance(home).key_path(TAX)
    there = tmp_path / "vault" / "tax.pem"
    there.parent.mkdir()
    here.rename(there)
    settings({str(TAX): {"file": str(there)}})
    assert run("keys", "check", str(TAX)).code == 0
    run("keys", "rotate", str(TAX))
    assert len(list(there.parent.glob("tax.*.pem"))) == 1


class TestInAnHsm:
    """An agency whose key is on a token."""

    @pytest.fixture
    def token(self, hsm, home, settings, tmp_path):
        """The tax registry's key is moved onto a token."""
        token = hsm.token()
        path = Instance(home).key_path(TAX)
        token.put(SigningKey.load(path))
        path.unlink()
        pin = token.pin(tmp_path).file
        place = {"module": str(MODULE), "token": token.label, "label": "signing", "pin_file": str(pin)}
        settings({str(TAX): {"pkcs11": place}})
        return token

    def test_commands_and_processes_sign_with_it(self, run, home, token):
        """What is signed verifies with the key that the directory has."""
        assert run("keys", "check", str(TAX)).code == 0
        (row,) = run("keys", "show", str(TAX)).data
        assert row["state"] == "signs"
        assert row["place"] == f"token {token.label}, key signing, id 01"
        signer = Instance(home).credentials(TAX).signer
        signer.public.verify(signer.sign(b"flush"), b"flush")

    def test_a_pair_made_on_the_token_follows_the_first(self, run, home, token, rotate):
        """Without a new pair there is nothing to publish; with it, the operators sign it and it signs."""
        answer = run("keys", "rotate", str(TAX))
        assert answer.code == 2
        assert "make a pair on the token, the same label, another id" in answer.err
        new = SigningKey.generate()
        token.put(new, key_id="02")
        assert rotate("0s")["public"] == new.public.text
        assert public_of(home) == new.public.text

    def test_a_pulled_token_is_said(self, run, home, token):
        """Exit code 3; every other agency's key is listed all the same."""
        token.pull()
        answer = run("keys", "check", str(TAX))
        assert answer.code == 3
        assert f"no token {token.label}" in answer.err
        assert len(run("keys", "show").data) == len(Instance(home).directory().agencies) - 1
        with pytest.raises(KeyUnavailable):
            Instance(home).credentials(TAX)

    def test_a_directory_is_signed_without_it(self, run, home, token):
        """The operators do not need an agency's token."""
        token.pull()
        assert run("directory", "sign").code == 0

    def test_the_settings_never_hold_the_pin(self, run, home, token):
        """They name where it is, and so does `exchange config`."""
        shown = run("config").data["keys"][str(TAX)]["pkcs11"]
        assert set(shown) == {"module", "token", "label", "id", "pin_file", "pin_variable"}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({}, "give one of file and pkcs11"),
        ({"file": "a", "pkcs11": {"module": "m", "token": "t", "label": "l", "pin_file": "p"}}, "give one of file and"),
        ({"pkcs11": {"module": "m", "token": "t", "label": "l"}}, "give one of pin_file and pin_variable"),
        ({"pkcs11": {"module": "m", "token": "t", "label": "l", "pin": "1234"}}, "unknown key"),
        ({"pkcs11": {"module": "m", "token": "t", "label": "l", "pin_file": "p", "id": "1"}}, "keys."),
    ],
)
def test_a_wrong_place_of_a_key_stops_the_process(home, settings, place, message):
    """File, line and column, and what would be right."""
    settings({str(TAX): place})
    with pytest.raises(SettingsError, match=message):
        _ = Instance(home).settings
