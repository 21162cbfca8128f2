"""Ed25519 keys and their files."""

import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from exchange.errors import SettingsError, SignatureInvalid
from exchange.trust import PublicKey, SigningKey


def test_the_rfc_8032_vector_holds():
    """The second test vector of RFC 8032, 7.1: seed, public key, one-byte message, signature."""
    key = SigningKey.from_seed(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public.raw.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = key.sign(b"\x72")
    assert signature.hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
    key.public.verify(signature, b"\x72")


def test_another_message_or_signature_is_refused():
    """A signature is of one message by one key."""
    key = SigningKey.generate()
    signature = key.sign(b"one")
    for wrong in (signature[:-1] + bytes([signature[-1] ^ 1]), b"", bytes(64)):
        with pytest.raises(SignatureInvalid):
            key.public.verify(wrong, b"one")
    with pytest.raises(SignatureInvalid):
        key.public.verify(signature, b"two")
    with pytest.raises(SignatureInvalid):
        SigningKey.generate().public.verify(signature, b"one")


def test_a_single_key_is_the_current_one():
    """A key in memory never becomes another."""
    key = SigningKey.generate()
    assert key.current() is key


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_saved_key_reads_back_and_only_its_owner_may_read_it(tmp_path, passphrase):
    """A key file holds the key, with mode 0600."""
    key = SigningKey.generate()
    path = tmp_path / "deep" / "key.pem"
    key.save(path, passphrase)
    assert SigningKey.load(path, passphrase).public == key.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_is_never_overwritten(tmp_path):
    """A second save at the same place fails and leaves the first key."""
    key = SigningKey.generate()
    key.save(tmp_path / "key.pem")
    with pytest.raises(FileExistsError):
        SigningKey.generate().save(tmp_path / "key.pem")
    assert SigningKey.load(tmp_path / "key.pem").public == key.public


def test_a_missing_wrong_or_locked_key_file_is_named(tmp_path):
    """Each failure says which file, and what is wrong with it."""
    with pytest.raises(SettingsError, match="no such key file"):
        SigningKey.load(tmp_path / "none.pem")
    (tmp_path / "junk.pem").write_bytes(b"junk")
    with pytest.raises(SettingsError, match=r"junk\.pem: not a readable PKCS#8"):
        SigningKey.load(tmp_path / "junk.pem")
    SigningKey.generate().save(tmp_path / "locked.pem", b"secret")
    for passphrase in (None, b"wrong"):
        with pytest.raises(SettingsError, match=r"locked\.pem"):
            SigningKey.load(tmp_path / "locked.pem", passphrase)


def test_a_key_of_another_kind_is_refused(tmp_path):
    """The exchange signs with Ed25519 alone."""
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ec.pem").write_bytes(pem)
    with pytest.raises(SettingsError, match="expected an Ed25519 key"):
        SigningKey.load(tmp_path / "ec.pem")


def test_a_public_key_reads_back_from_its_text():
    """Base64 of 32 bytes, and nothing else, is a public key."""
    key = SigningKey.generate().public
    assert PublicKey.parse(key.text) == key
    assert len(key.fingerprint) == 16
    for wrong in ("", "AAAA", key.text + "!", key.text[:-4]):
        with pytest.raises(ValueError):
            PublicKey.parse(wrong)
