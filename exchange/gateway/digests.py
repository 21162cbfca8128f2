"""How audit entries name requests and answers (spec 9): by the SHA-256 of their Ed25519 signature (spec 5).

A body holds an identifier and a few fields: whoever reads an entry could guess them until a digest of the body
fits. A signature binds the same message, and nobody can make it for a guess; who holds the message has it.
"""

from __future__ import annotations

import base64
import hashlib


def digest_of_signature(header: str) -> str:
    """SHA-256, hexadecimal, of the 64 bytes in a verified `signature` header, `exchange=:<base64>:`."""
    encoded = header.removeprefix("exchange=").strip(":")
    return hashlib.sha256(base64.b64decode(encoded, validate=True)).hexdigest()
