"""An HSM of software, SoftHSM2: tokens with real PKCS#11 behind them, that can be pulled and plugged in again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from exchange.trust import HsmKeyPlace, PinSource, SigningKey

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711"
_VARIABLE = "SOFTHSM2_CONF"
_numbers = count(1)


class SoftHsm:
    """The HSM of a test run: the module reads its settings once a process, so there is one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokens = folder / "tokens"
        self._tokens.mkdir()
        self.settings = folder / "softhsm2.conf"
        self.settings.write_text(
            f"directories.tokendir = {self._tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )

    @contextmanager
    def in_environment(self) -> Iterator[SoftHsm]:
        """Let the module find its settings, in this process and in those it starts."""
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = str(self.settings)
        try:
            yield self
        finally:
            os.environ.pop(_VARIABLE)
            if before is not None:
                os.environ[_VARIABLE] = before

    def token(self) -> SoftToken:
        """A new token of its own name, with nothing on it."""
        label = f"token-{next(_numbers)}"
        before = set(self._tokens.iterdir())
        self.run("--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN)
        (place,) = set(self._tokens.iterdir()) - before
        return SoftToken(self, label, place)

    def run(self, *arguments: str) -> None:
        """Let `softhsm2-util` do something."""
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


class SoftToken:
    """One token: a folder of files."""

    def __init__(self, hsm: SoftHsm, label: str, folder: Path) -> None:
        self._hsm = hsm
        self.label = label
        self._folder = folder
        self._away = folder.parent.parent / f"{folder.name}.away"

    def place(self, label: str = "signing", key_id: bytes | None = None) -> HsmKeyPlace:
        """Where its keys of a label are."""
        return HsmKeyPlace(MODULE, self.label, label, key_id)

    def pin(self, folder: Path, text: str = PIN) -> PinSource:
        """Its PIN in a file."""
        path = folder / f"{self.label}.pin"
        path.write_text(f"{text}\n")
        return PinSource(file=path)

    def put(self, key: SigningKey, *, label: str = "signing", key_id: str = "01", public: bool = True) -> None:
        """Put a key pair onto it."""
        pem = self._folder.parent.parent / f"{self.label}.pem"
        key.save(pem)
        options = ["--token", self.label, "--label", label, "--id", key_id, "--pin", PIN]
        self._hsm.run("--import", str(pem), *options, *([] if public else ["--no-public-key"]))
        pem.unlink()

    def put_foreign(self, label: str = "signing") -> None:
        """Put a key pair of another kind onto it."""
        pem = self._folder.parent.parent / f"{self.label}.pem"
        pem.write_bytes(
            generate_private_key(SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._hsm.run("--import", str(pem), "--token", self.label, "--label", label, "--id", "09", "--pin", PIN)
        pem.unlink()

    def put_public(self, key: SigningKey, *, label: str = "signing", key_id: str = "01") -> None:
        """Put a public object onto it, alone."""
        self._objects("public", label, key_id, key.public.raw.hex())

    def destroy_keys(self) -> None:
        """Destroy its private keys."""
        self._objects("destroy")

    def _objects(self, action: str, *arguments: str) -> None:
        script = [sys.executable, "-m", "tests.fakes.soft_hsm_objects", action, str(MODULE), self.label, PIN]
        subprocess.run([*script, *arguments], check=True)

    def pull(self) -> None:
        """Take it out."""
        self._folder.rename(self._away)

    def plug_in(self) -> None:
        """Put it back."""
        self._away.rename(self._folder)
