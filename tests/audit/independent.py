"""A second verifier of receipts, from the text of the specifications alone: hashlib, json, and nothing of the project.

Ed25519 is RFC 8032 (section 5.1.7), the note and checkpoint are C2SP's, the tree is RFC 9162's (section 2.1.3.2).
"""

from __future__ import annotations

import base64
import hashlib
import json

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int, int, int]


def accepts(receipt: bytes, gateways: dict[str, bytes], origin: str, log_key: bytes) -> bool:
    """Whether a receipt holds: its entry signed by one of `gateways` (key id -> 32 bytes), and in the log `origin`."""
    content = json.loads(receipt)
    document = content["document"]
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    [signature] = document["signatures"]
    if signature["keyid"] not in gateways:
        return False
    if not verifies(gateways[signature["keyid"]], signed, base64.b64decode(signature["sig"])):
        return False
    if json.loads(payload)["gateway"] != signature["keyid"].partition("#")[0]:
        return False
    data = hashlib.sha256(b"exchange-audit-v1\n" + base64.b64decode(content["salt"]) + payload).digest()
    return in_log(hashlib.sha256(b"\x00" + data).digest(), content["proof"], origin, log_key)


def in_log(leaf: bytes, proof: str, origin: str, log_key: bytes) -> bool:
    """Whether a C2SP tlog-proof leads from `leaf` into a checkpoint that the log signed."""
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1":
        return False
    index, path = int(lines[1].removeprefix("index ")), [base64.b64decode(line) for line in lines[2:]]
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    name, size, root = text.split("\n")[:3]
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + log_key).digest()[:4]
    signature = base64.b64decode(signatures.split("\n")[0].removeprefix(f"— {origin} "))
    if name != origin or signature[:4] != key_id or not verifies(log_key, text.encode(), signature[4:]):
        return False
    return root_from(leaf, index, int(size), path) == base64.b64decode(root)


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to (RFC 9162), or None where it is of the wrong length."""
    position, last, node = index, size - 1, leaf
    if index >= size:
        return None
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        position, last = position >> 1, last >> 1
    return node if last == 0 else None


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is Ed25519 of `message` under `public`."""
    if len(signature) != 64:
        return False
    key, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    return same(multiply(s, BASE), add(r, multiply(int.from_bytes(digest, "little") % ORDER, key)))


def add(a: Point, b: Point) -> Point:
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def recover(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    return x if x & 1 == sign else P - x


def decompress(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y = number & ((1 << 255) - 1)
    x = recover(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


_Y = 4 * pow(5, -1, P) % P
_X = recover(_Y, 0) or 0
BASE: Point = (_X, _Y, 1, _X * _Y % P)
