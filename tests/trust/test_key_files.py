"""An agency's key files: the first one, and those of rotations beside it."""

from __future__ import annotations

import os

import pytest

from exchange.errors import SettingsError
from exchange.trust import KeyFiles, SigningKey


@pytest.fixture
def path(tmp_path):
    """Where the agency's first key lies."""
    return tmp_path / "civil.pem"


def save(path):
    """A new key there."""
    key = SigningKey.generate()
    key.save(path)
    return key


def publics(store):
    """The public halves of what it finds."""
    return {key.public for key in store.load().values()}


def test_keys_beside_the_first_are_found(path, tmp_path):
    """`civil.pem` and `civil.*.pem` are one agency's, `civilian.pem` is another's."""
    keys = [save(path), save(tmp_path / "civil.2027.pem")]
    save(tmp_path / "civilian.pem")
    assert publics(KeyFiles(path)) == {key.public for key in keys}


def test_files_that_come_go_or_change_are_noticed(path, tmp_path):
    """Each look gives the keys of the files as they are then."""
    first, store = save(path), KeyFiles(path)
    assert publics(store) == {first.public}
    second = save(tmp_path / "civil.second.pem")
    assert publics(store) == {first.public, second.public}
    path.unlink()
    assert publics(store) == {second.public}
    replaced = save(tmp_path / "new.pem")
    os.replace(tmp_path / "new.pem", tmp_path / "civil.second.pem")
    assert publics(store) == {replaced.public}


def test_a_file_that_did_not_change_is_not_read_again(path):
    """A passphrase costs time on purpose: a key is decrypted once."""
    save(path)
    store = KeyFiles(path)
    assert store.load()[str(path)] is store.load()[str(path)]


def test_a_passphrase_opens_all_of_them(path, tmp_path):
    """The keys of an agency share the passphrase of the process."""
    keys = [SigningKey.generate() for _ in range(2)]
    keys[0].save(path, b"correct horse")
    keys[1].save(tmp_path / "civil.2.pem", b"correct horse")
    assert publics(KeyFiles(path, b"correct horse")) == {key.public for key in keys}
    with pytest.raises(SettingsError, match=r"civil\.pem"):
        KeyFiles(path).load()


def test_no_file_and_a_broken_one_are_named(path, tmp_path):
    """The first file is the one that is missed."""
    with pytest.raises(SettingsError, match=r"civil\.pem: no such key file"):
        KeyFiles(path).load()
    save(path)
    (tmp_path / "civil.new.pem").write_text("cut o")
    with pytest.raises(SettingsError, match=r"civil\.new\.pem: not a readable PKCS#8"):
        KeyFiles(path).load()
