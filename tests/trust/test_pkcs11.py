"""Keys in an HSM, over a real PKCS#11 module."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchange.errors import KeyUnavailable, SettingsError
from exchange.trust import HsmKeyPlace, PinSource, SigningKey, open_hsm
from tests.fakes.soft_hsm import MODULE, PIN


@pytest.fixture
def token(hsm):
    """A token with nothing on it."""
    return hsm.token()


@pytest.fixture
def opened(token, tmp_path):
    """A key on a token, and the store that finds it there."""
    key = SigningKey.generate()
    token.put(key)
    return key, open_hsm(token.place(), token.pin(tmp_path))


def nothing(token):
    """An empty token."""


def foreign(token):
    """A key of another kind."""
    token.put_foreign()


def private(token):
    """A private key without its public object."""
    token.put(SigningKey.generate(), public=False)


def test_a_key_on_a_token_signs_what_its_public_half_verifies(opened):
    """The signature is Ed25519's: the one that the key itself makes."""
    key, store = opened
    (found,) = store.load().values()
    assert found.public == key.public
    assert found.sign(b"flush") == key.sign(b"flush")
    assert found.current() is found


def test_all_keys_of_a_label_are_found(token, tmp_path):
    """Several pairs of one label are a rotation; others on the token are somebody else's."""
    first, second, other = (SigningKey.generate() for _ in range(3))
    token.put(first, key_id="01")
    token.put(second, key_id="02")
    token.put(other, key_id="03", label="tls")
    token.put_foreign()
    pin = token.pin(tmp_path)
    assert {key.public for key in open_hsm(token.place(), pin).load().values()} == {first.public, second.public}
    assert [key.public for key in open_hsm(token.place(key_id=b"\x02"), pin).load().values()] == [second.public]


def test_many_threads_sign_at_once(opened):
    """Each thread gets the signature of its own message."""
    key, store = opened
    (found,) = store.load().values()
    messages = [b"flush %d" % number for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(found.sign, messages))
    assert signatures == [key.sign(message) for message in messages]


def test_a_token_that_was_pulled_signs_again_once_it_is_back(opened, token):
    """Meanwhile the error is one to retry; the process needs no restart."""
    key, store = opened
    (found,) = store.load().values()
    found.sign(b"before")
    token.pull()
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match=f"no token {token.label}") as caught:
            found.sign(b"meanwhile")
        assert caught.value.retriable
    token.plug_in()
    assert found.sign(b"after") == key.sign(b"after")


def test_another_tokens_trouble_does_not_keep_one_from_signing(opened, token, hsm, tmp_path):
    """Looking for a token that is away voids the sessions of the others, which open again."""
    key, store = opened
    (found,) = store.load().values()
    away = hsm.token()
    away.put(SigningKey.generate())
    (gone,) = open_hsm(away.place(), away.pin(tmp_path)).load().values()
    away.pull()
    for number in range(3):
        with pytest.raises(KeyUnavailable):
            gone.sign(b"nothing")
        assert found.sign(b"%d" % number) == key.sign(b"%d" % number)


def test_a_wrong_pin_is_not_tried_twice(opened, token, hsm, tmp_path):
    """The second refusal is ours, so that the HSM does not lock the token; the right PIN is taken without a restart."""
    other = hsm.token()
    key = SigningKey.generate()
    other.put(key)
    pin = other.pin(tmp_path, "0000")
    store = open_hsm(other.place(), pin)
    for _ in range(20):
        with pytest.raises(KeyUnavailable, match=r"refuses its PIN \(PinIncorrect\)") as caught:
            store.load()
        assert not caught.value.retriable
        assert "0000" not in caught.value.message
    other.pin(tmp_path)
    assert [found.public for found in store.load().values()] == [key.public]


def test_a_pair_under_anothers_id_does_not_sign(token, tmp_path):
    """A private key whose public object is another key's would seal what nobody can verify: it is refused."""
    token.put(SigningKey.generate(), public=False)
    token.put_public(SigningKey.generate())
    (found,) = open_hsm(token.place(), token.pin(tmp_path)).load().values()
    with pytest.raises(KeyUnavailable, match=r"private key of id 01 is not the one of its public object") as caught:
        found.sign(b"flush")
    assert not caught.value.retriable


@pytest.mark.parametrize("put", [nothing, foreign, private])
def test_a_token_without_such_a_pair_is_named(put, token, tmp_path):
    """Nothing there, a key of another kind, a private key alone: each says what is expected."""
    put(token)
    with pytest.raises(KeyUnavailable, match=f"{token.label}, key signing; expected an Ed25519 pair") as caught:
        open_hsm(token.place(), token.pin(tmp_path)).load()
    assert not caught.value.retriable


def test_a_key_that_is_gone_is_named(opened, token, hsm, tmp_path):
    """A key that was destroyed on its token is missed at the next signature."""
    _, store = opened
    (found,) = store.load().values()
    token.destroy_keys()
    with pytest.raises(KeyUnavailable, match="has no such key: signing of id 01, which was there before"):
        found.sign(b"flush")


def test_a_missing_pin_is_named_by_its_place(token, tmp_path):
    """A variable that is not set, and a file that is not there or empty, each say so."""
    place = token.place()
    with pytest.raises(SettingsError, match="environment variable TOKEN_PIN: expected the token's PIN"):
        open_hsm(place, PinSource(variable="TOKEN_PIN", environment={})).load()
    with pytest.raises(SettingsError, match=r"none\.pin: cannot read the token's PIN"):
        open_hsm(place, PinSource(file=tmp_path / "none.pin")).load()
    (tmp_path / "empty.pin").write_text("\n")
    with pytest.raises(SettingsError, match=r"empty\.pin: expected the token's PIN"):
        open_hsm(place, PinSource(file=tmp_path / "empty.pin")).load()


def test_a_pin_may_come_from_the_environment(token, tmp_path):
    """The variable that the settings name."""
    key = SigningKey.generate()
    token.put(key)
    store = open_hsm(token.place(), PinSource(variable="TOKEN_PIN", environment={"TOKEN_PIN": PIN}))
    assert [found.public for found in store.load().values()] == [key.public]


def test_a_module_that_is_missing_or_none_is_named(tmp_path):
    """A path with nothing there, and a file that is no library."""
    pin = PinSource(variable="P", environment={"P": "1"})
    with pytest.raises(SettingsError, match=r"none\.so: no such PKCS#11 module"):
        open_hsm(HsmKeyPlace(tmp_path / "none.so", "t", "k"), pin)
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(SettingsError, match=r"text\.so: not a PKCS#11 module that loads"):
        open_hsm(HsmKeyPlace(tmp_path / "text.so", "t", "k"), pin).load()


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    """Where python-pkcs11 is not installed, only who wants an HSM hears of it."""
    monkeypatch.delitem(sys.modules, "exchange.trust.pkcs11", raising=False)
    monkeypatch.delitem(sys.modules, "exchange.trust.pkcs11_token", raising=False)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(SettingsError, match=r"pkcs11 is not installed.*pip install 'exchange\[hsm\]'"):
        open_hsm(HsmKeyPlace(MODULE, "t", "k"), PinSource(variable="P"))
