"""Rotation: the key that the directory has valid since last signs, and a process need not be restarted for it."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from exchange.clock import format_micros
from exchange.errors import KeyUnavailable, SettingsError
from exchange.trust import KeyFiles, RotatingSigner, SigningKey, open_hsm
from tests.fakes.instance import TAX, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock


class AtOnce(Executor):
    """Does what it is given in the caller's thread; so tests need not wait."""

    def submit(self, work, /, *arguments, **named):
        done = Future()
        try:
            done.set_result(work(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done


class Later(Executor):
    """Does what it is given when told to: an HSM that takes its time."""

    def __init__(self):
        self.waiting = []

    def submit(self, work, /, *arguments, **named):
        done = Future()
        self.waiting.append((done, work))
        return done

    def go_on(self):
        """Do it now."""
        for done, work in self.waiting:
            done.set_result(work())
        self.waiting.clear()


class Scene:
    """The tax registry's keys in files, its entry in the directory, and a signer with a clock to move."""

    def __init__(self, folder, executor=None):
        self.folder = folder
        self.instance = FakeInstance(NOON)
        self.clock = MovingClock()
        self.old = self.instance.keys[TAX]
        self.old.save(folder / "registry.pem")
        self.seconds = 0.0
        self.signer = self.start(executor)

    def start(self, executor=None):
        """A process that starts now."""
        return RotatingSigner(
            KeyFiles(self.folder / "registry.pem"),
            TAX,
            self.instance.directory,
            self.clock,
            monotonic=lambda: self.seconds,
            executor=executor or AtOnce(),
        )

    def new_file(self, name="registry.new.pem"):
        """A new key beside the old one."""
        key = SigningKey.generate()
        key.save(self.folder / name)
        return key

    def publish(self, key, start=timedelta(), end=timedelta(days=365)):
        """The operators put a key into the directory."""
        entry = {
            "public": key.public.text,
            "not_before": format_micros(self.clock.now() + start),
            "not_after": format_micros(self.clock.now() + end),
        }
        self.instance.edit(lambda content: self.instance.subsystem(content, TAX)["keys"].append(entry))

    def withdraw(self, key):
        """The operators take a key out of it."""

        def change(content):
            part = self.instance.subsystem(content, TAX)
            part["keys"] = [each for each in part["keys"] if each["public"] != key.public.text]

        self.instance.edit(change)

    def later(self, seconds=1.0):
        """Some time passes."""
        self.seconds += seconds
        self.clock.move(seconds=seconds)

    @property
    def signs(self):
        """The key that signs now."""
        return self.signer.current().public


@pytest.fixture
def scene(tmp_path):
    """A running process that signs with its one key."""
    return Scene(tmp_path)


def test_a_new_key_signs_once_the_directory_has_it(scene):
    """A file alone changes nothing; with the directory's word the new key signs within a second."""
    assert scene.signs == scene.old.public
    new = scene.new_file()
    scene.later()
    assert scene.signs == scene.old.public
    scene.publish(new)
    assert scene.signs == new.public
    signer = scene.signer.current()
    signer.public.verify(signer.sign(b"flush"), b"flush")


def test_a_key_published_for_later_waits_for_its_day(scene):
    """The old key signs until the very moment that the directory gives the new one."""
    new = scene.new_file()
    scene.publish(new, start=timedelta(hours=1))
    scene.later(3599)
    assert scene.signs == scene.old.public
    scene.later(1)
    assert scene.signs == new.public


def test_the_old_key_signs_while_the_new_one_is_not_here(scene):
    """A key that is published before its file arrives is taken up when it is here."""
    new = SigningKey.generate()
    scene.publish(new)
    scene.later()
    assert scene.signs == scene.old.public
    new.save(scene.folder / "registry.2027.pem")
    scene.later()
    assert scene.signs == new.public


def test_an_overwritten_file_does_not_stop_the_process(scene):
    """Where the one file was replaced before the directory has the new key, the old one signs from memory."""
    new = SigningKey.generate()
    scene.publish(new, start=timedelta(hours=1))
    (scene.folder / "registry.pem").unlink()
    new.save(scene.folder / "registry.pem")
    scene.later(60)
    assert scene.signs == scene.old.public
    scene.later(3600)
    assert scene.signs == new.public


def test_the_files_are_looked_at_at_most_once_a_second(scene):
    """Between two looks nothing is read, however many flushes there are."""
    new = SigningKey.generate()
    scene.publish(new)
    scene.later()
    assert scene.signs == scene.old.public
    new.save(scene.folder / "registry.new.pem")
    scene.later(0.5)
    assert scene.signs == scene.old.public
    scene.later(0.5)
    assert scene.signs == new.public


def test_a_process_that_starts_in_between_signs_with_the_valid_one(scene):
    """Both files are here, the directory decides."""
    new = scene.new_file()
    assert scene.start().current().public == scene.old.public
    scene.publish(new)
    assert scene.start().current().public == new.public


def test_a_withdrawn_key_gives_way_to_the_one_before(scene):
    """After the directory took the new key back, the old one, still valid, signs again."""
    new = scene.new_file()
    scene.publish(new)
    scene.later()
    assert scene.signs == new.public
    scene.withdraw(new)
    assert scene.signs == scene.old.public


def test_without_any_valid_key_the_last_one_stays(scene):
    """Who signs with it learns that it is not valid, and which it is."""
    scene.withdraw(scene.old)
    assert scene.signs == scene.old.public
    scene.instance.edit(lambda content: content["members"].clear())
    assert scene.signs == scene.old.public


def test_a_pinned_signer_keeps_its_key_through_a_rotation(scene):
    """What was begun with the old key is signed with it: the directory has both valid."""
    pinned = scene.signer.current()
    new = scene.new_file()
    scene.publish(new)
    scene.later()
    assert scene.signs == new.public
    assert pinned.public == scene.old.public
    scene.old.public.verify(pinned.sign(b"flush"), b"flush")
    new.public.verify(scene.signer.sign(b"next"), b"next")
    assert scene.signer.public == new.public


def test_looking_does_not_keep_a_flush_waiting(tmp_path):
    """While an HSM is asked for the new key, the old one signs."""
    slow = Later()
    scene = Scene(tmp_path, slow)
    new = scene.new_file()
    scene.publish(new)
    scene.later()
    assert scene.signs == scene.old.public
    scene.later()
    assert scene.signs == scene.old.public
    assert len(slow.waiting) == 1
    slow.go_on()
    assert scene.signs == new.public


def test_a_broken_file_leaves_the_old_key(scene):
    """A key file that is half written is read again a second later."""
    new = SigningKey.generate()
    scene.publish(new)
    broken = scene.folder / "registry.new.pem"
    broken.write_text("-----BEGIN PRI")
    scene.later()
    assert scene.signs == scene.old.public
    broken.unlink()
    new.save(broken)
    scene.later()
    assert scene.signs == new.public


def test_a_process_does_not_start_with_unknown_keys(tmp_path):
    """The message names the keys that are here, to compare with the directory."""
    scene = Scene(tmp_path)
    scene.withdraw(scene.old)
    with pytest.raises(SettingsError, match=f"no such key of {TAX} as is there: {scene.old.public.fingerprint}"):
        scene.start()


def test_a_key_on_a_token_is_rotated_likewise(hsm, tmp_path):
    """A second pair of the same label, made on the token, signs as soon as the directory has it valid."""
    scene, token = Scene(tmp_path), hsm.token()
    token.put(scene.old, key_id="01")
    store = open_hsm(token.place(), token.pin(tmp_path))
    signer = RotatingSigner(
        store, TAX, scene.instance.directory, scene.clock, monotonic=lambda: scene.seconds, executor=AtOnce()
    )
    assert signer.current().public == scene.old.public
    new = SigningKey.generate()
    token.put(new, key_id="02")
    scene.later()
    assert signer.current().public == scene.old.public
    scene.publish(new)
    assert signer.current().public == new.public
    token.pull()
    with pytest.raises(KeyUnavailable):
        signer.sign(b"flush")
    token.plug_in()
    new.public.verify(signer.sign(b"flush"), b"flush")


def test_threads_share_a_signer(scene):
    """Whatever thread asks, during a rotation, gets a signer whose halves belong together."""
    new = scene.new_file()

    def sign(number):
        if number == 50:
            scene.publish(new)
        signer = scene.signer.current()
        signer.public.verify(signer.sign(b"%d" % number), b"%d" % number)
        return signer.public

    with ThreadPoolExecutor(8) as threads:
        used = set(threads.map(sign, range(200)))
    scene.later()
    assert used <= {scene.old.public, new.public}
    assert scene.signs == new.public
