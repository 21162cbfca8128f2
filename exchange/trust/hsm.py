"""The way to keys in an HSM: PKCS#11 is loaded when an agency has its key there, and not before."""

from __future__ import annotations

from exchange.errors import SettingsError
from exchange.trust.hsm_place import HsmKeyPlace, PinSource
from exchange.trust.rotation import KeyStore


def open_hsm(place: HsmKeyPlace, pin: PinSource) -> KeyStore:
    """The keys of a place on an HSM; raises SettingsError where python-pkcs11 or the module's library is missing."""
    if not place.module.is_file():
        raise SettingsError(f"{place.module}: no such PKCS#11 module: give the path of the HSM's own library (.so)")
    try:
        from exchange.trust.pkcs11 import HsmKeys
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{place}: {error.name} is not installed, and keys in an HSM need it: pip install 'exchange[hsm]'"
        ) from None
    return HsmKeys(place, pin)
