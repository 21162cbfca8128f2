"""Ed25519 keys in an HSM, over PKCS#11 (CKM_EDDSA). Imported by `exchange.trust.hsm` alone: it needs the extra `hsm`.

A session does not outlive its token: once that is pulled, or its HSM restarts, all its handles are void. So a key is
known by its CKA_ID and its public half, and its handle is looked up anew in each session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from exchange.errors import KeyUnavailable, SignatureInvalid
from exchange.trust.hsm_place import HsmKeyPlace
from exchange.trust.keys import PublicKey
from exchange.trust.pkcs11_token import token_of

T = TypeVar("T")

_SIZE = 32
_OCTET_STRING = b"\x04\x20"  # DER's head of 32 bytes


class HsmKey:
    """One Ed25519 key that never leaves its token. For any number of threads; `sign` takes as long as the HSM does."""

    def __init__(self, keys: HsmKeys, key_id: bytes, public: PublicKey) -> None:
        self._keys = keys
        self._id = key_id
        self._public = public
        self._found: tuple[pkcs11.Session, pkcs11.SignMixin] | None = None

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    @property
    def id(self) -> bytes:
        """The CKA_ID."""
        return self._id

    def sign(self, message: bytes) -> bytes:
        """64 bytes; raises KeyUnavailable, retriable unless the PIN, the key or the mechanism is what is wrong."""
        signature = self._keys.call(lambda session: self._sign(session, message))
        try:
            # One id for two pairs is easily made, and would seal with a key that nobody knows.
            self._public.verify(signature, message)
        except SignatureInvalid:
            raise KeyUnavailable(
                f"{self._keys.place}: the private key of id {self._id.hex()} is not the one of its public object "
                f"{self._public.fingerprint}: give each pair an id of its own",
                retriable=False,
            ) from None
        return signature

    def current(self) -> HsmKey:
        """Itself: one key, always."""
        return self

    def _sign(self, session: pkcs11.Session, message: bytes) -> bytes:
        if self._found is None or self._found[0] is not session:
            self._found = session, self._find(session)
        signature: bytes = self._found[1].sign(message, mechanism=Mechanism.EDDSA)
        return signature

    def _find(self, session: pkcs11.Session) -> pkcs11.SignMixin:
        wanted = {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.ID: self._id,
            Attribute.LABEL: self._keys.place.label,
        }
        for key in list(session.get_objects(wanted)):
            if isinstance(key, pkcs11.SignMixin):
                return key
        raise pkcs11.NoSuchKey(f"{self._keys.place.label} of id {self._id.hex()}, which was there before")


class HsmKeys:
    """The key pairs of one place; several of one label are a rotation."""

    def __init__(self, place: HsmKeyPlace, pin: Callable[[], str]) -> None:
        self.place = place
        self._pin = pin
        self._token = token_of(place.module, place.token)

    def __str__(self) -> str:
        return str(self.place)

    def load(self) -> Mapping[str, HsmKey]:
        """Every pair that is there, by its place; raises KeyUnavailable, or SettingsError without a PIN."""
        pairs = self.call(lambda session: list(self._pairs(session)))
        return {str(replace(self.place, id=key_id)): HsmKey(self, key_id, public) for key_id, public in pairs}

    def call(self, work: Callable[[pkcs11.Session], T]) -> T:
        """What `work` gives, in a session with the token; raises as `Token.call`."""
        return self._token.call(work, self._pin)

    def _pairs(self, session: pkcs11.Session) -> Iterator[tuple[bytes, PublicKey]]:
        found = False
        points = {each[Attribute.ID]: each[Attribute.EC_POINT] for each in self._find(session, ObjectClass.PUBLIC_KEY)}
        for key in self._find(session, ObjectClass.PRIVATE_KEY):
            point = points.get(key[Attribute.ID], b"")
            raw = point.removeprefix(_OCTET_STRING) if len(point) > _SIZE else point
            if len(raw) == _SIZE:
                found = True
                yield key[Attribute.ID], PublicKey(raw)
        if not found:
            raise pkcs11.NoSuchKey(
                f"{self.place}; expected an Ed25519 pair, its private and its public object with that label and one id"
            )

    def _find(self, session: pkcs11.Session, kind: ObjectClass) -> list[pkcs11.Object]:
        wanted = {
            Attribute.CLASS: kind,
            Attribute.LABEL: self.place.label,
            Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
        }
        if self.place.id is not None:
            wanted[Attribute.ID] = self.place.id
        return list(session.get_objects(wanted))
