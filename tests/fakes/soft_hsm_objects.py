"""What `softhsm2-util` cannot do with a token's objects, in a process of its own, as an HSM's own tools are."""

from __future__ import annotations

import sys

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass

EDWARDS25519 = bytes.fromhex("130c656477617264733235353139")  # DER: PrintableString edwards25519


def main(action: str, module: str, token: str, pin: str, *arguments: str) -> None:
    """`destroy`: every private key. `public LABEL ID POINT`: a public object, ID and POINT in hexadecimal."""
    with pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
        if action == "destroy":
            for key in list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})):
                key.destroy()
        else:
            label, key_id, point = arguments
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.PUBLIC_KEY,
                    Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
                    Attribute.EC_PARAMS: EDWARDS25519,
                    Attribute.EC_POINT: b"\x04\x20" + bytes.fromhex(point),
                    Attribute.LABEL: label,
                    Attribute.ID: bytes.fromhex(key_id),
                    Attribute.TOKEN: True,
                    Attribute.VERIFY: True,
                }
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
