"""A second verifier, from docs/spec alone; Avro without arrays, maps, aliases, doubles as defaults, logical types."""

import base64
import hashlib
import json
import re
import struct
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BytesIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

moment = datetime.fromisoformat
canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
FORMS = {"null": "", "boolean": "?", "float": "<f", "double": "<d"}
CODES = ["document_invalid", "seal_malformed", "statement_malformed", "origin_mismatch", "publisher_not_allowed"]
CODES += ["key_not_valid", "seal_signature_invalid", "inclusion_invalid", "schema_mismatch"]
NAME, B64, X = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "[A-Za-z0-9+/]", "[0-9a-f]"
NUMBER = "(0|[1-9][0-9]{0,18})"
TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]"
ORIGIN = f"(((([A-Z][A-Z0-9-]{{1,15}})/(GOV|MUN|COM|NGO)/{NAME})/({NAME}))/({NAME}))"
EXTENSIONS = f"epoch {NUMBER}\nflush {NUMBER}\ntime ({TIME}{{3}}Z)\n"
STATEMENT = f"({ORIGIN}\n{NUMBER}\n({B64}{{43}}=)\n{EXTENSIONS})\n— \\2 ({B64}{{91}}=)\n"
PROOF = f"c2sp.org/tlog-proof@v1\nindex {NUMBER}\n((?:{B64}{{43}}=\n)*)\n((?s:.*))"
EVENT = ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "ce_sequence"]
ID = f"{X}{{8}}-{X}{{4}}-7{X}{{3}}-[89ab]{X}{{3}}-{X}{{12}}"
VALUES = f"application/avro\n1\\.0\n{ID}\n.*\n(.*)\n({TIME}{{6}}Z)\n(.*)\n[0-9]{{20}}"
MORE = {"ce_subject": "\n(?s:.*)", "traceparent": f"\n{X}{{2}}-{X}{{32}}-{X}{{16}}-{X}{{2}}"}


class Refused(Exception):
    """`args`: the step of spec 3 (0: the evidence's own) and the code."""


@contextmanager
def step(number, code=None):
    try:
        yield
    except Exception as error:
        raise error if isinstance(error, Refused) else Refused(number, code or CODES[number]) from None


def open_record(record, directory, schema_of):
    """(data, publisher's entry) of {topic, timestamp, key, headers, value}; `schema_of` gives texts by number."""
    with step(1):
        *headers, (last, seal) = record["headers"]
        version, index, count = struct.unpack_from(">BIB", seal)
        end = 6 + 32 * count
        assert (version, last, last in dict(headers)) == (1, "exchange-seal", False)
        assert len(seal) == end + 2 + struct.unpack_from(">H", seal, end)[0]
        node = hashlib.sha256(covered(record["topic"], record["key"], headers, record["value"])).digest()
    with step(2):
        match = re.fullmatch(STATEMENT, seal[end + 2 :].decode())
        text, origin, agency, member, _, kind, name, short, size, root, _, _, time, blob = match.groups()
        size, root, time, blob = int(size), exact(root), moment(time), exact(blob)
        assert 1 <= size <= 2000
    with step(3):
        assert [each for header, each in headers if header == "ce_source"] == [f"/{agency}".encode()]
    with step(4):
        [owner] = [each for each in directory["members"] if each["id"] == member and each["status"] == "active"]
        [subsystem] = [each for each in owner["subsystems"] if each["name"] == name]
        publishers = {each["name"]: each["publishers"] for each in subsystem.get("topics", [])}
        letters = ".".join([kind.lower(), *agency.split("/")[2:], "dead-letters"])
        ours = record["topic"].startswith("_exchange.") or record["topic"] == letters
        assert ours or short in publishers[record["topic"]]
    with step(5):
        assert abs((time - moment("1970-01-01T00:00:00Z")).total_seconds() * 1000 - record["timestamp"]) <= 600_000
        keys = [each for each in subsystem["keys"] if moment(each["not_before"]) <= time <= moment(each["not_after"])]
        keys = [(each, b"\x01" + base64.b64decode(each["public"])) for each in keys]
        keys = [each for each in keys if hashlib.sha256(origin.encode() + b"\n" + each[1]).digest()[:4] == blob[:4]]
        assert keys
    with step(6):
        key, raw = next((each, raw) for each, raw in keys if is_signed(raw[1:], blob[4:], text.encode()))
    with step(7):
        assert climb(node, index, size - 1, seal[6:end]) == root
    with step(8):
        data = content(record, headers, schema_of)
        assert not ours
    verifier = f"{origin}+{blob[:4].hex()}+{base64.b64encode(raw).decode()}"
    times = {each: f"{moment(key[each]):%Y-%m-%dT%H:%M:%S.%fZ}" for each in ("not_before", "not_after")}
    return data, {"id": origin, "member": owner["name"], "verifier": verifier, **times}


def verify_evidence(evidence, operators):
    """The data of a file of evidence, held against {threshold, keys} of the operators (spec 11)."""
    with step(0):
        file = json.loads(evidence)
        record, proof, schema, directory = (file[each] for each in ("record", "proof", "schema", "directory"))
        assert (canonical(file) + "\n").encode() == evidence
        assert (file["type"], len(file), len(record)) == ("exchange-evidence-v1", 6, 7)
        assert (type(proof), type(record["topic"]), schema is None or type(schema) is str) == (str, str, True)
        assert all(type(record[each]) is int and record[each] < 2**53 for each in ("partition", "offset", "timestamp"))
        key, value = record["key"], record["value"]
        record |= {"key": None if key is None else key.encode(), "value": None if value is None else exact(value)}
        headers = [(name, each.encode()) for name, each in record["headers"] if name.encode() is not None]
    with step(0, "proof_invalid"):
        index, path, statement = re.fullmatch(PROOF, proof).groups()
        path, statement = b"".join(map(exact, path.splitlines())), statement.encode()
        seal = struct.pack(">BIB", 1, int(index), len(path) // 32) + path + struct.pack(">H", len(statement))
        record["headers"] = [*headers, ("exchange-seal", seal + statement)]
    with step(0):
        kind, payload = directory["payloadType"].encode(), base64.b64decode(directory["payload"])
        assert (kind, len(directory)) == (b"application/vnd.exchange.directory+json;version=1", 3)
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        pairs = [(operators["keys"].get(each["keyid"]), exact(each["sig"])) for each in directory["signatures"]]
        good = {key for key, signature in pairs if key and is_signed(base64.b64decode(key), signature, signed)}
        assert len(good) >= operators["threshold"]
    data, found = open_record(record, json.loads(payload), lambda _: schema)
    with step(8):
        assert value is not None or schema is None
    with step(0):
        assert file["publisher"] == found
    return data


def covered(topic, key, headers, value):
    key, value = (b"\xff" * 4 if each is None else struct.pack(">i", len(each)) + each for each in (key, value))
    parts = [struct.pack(">H", len(n := name.encode())) + n + struct.pack(">i", len(v)) + v for name, v in headers]
    head = b"\x00" + struct.pack(">H", len(topic.encode())) + topic.encode() + key + struct.pack(">H", len(parts))
    return head + b"".join(parts) + value


def climb(node, index, last, path):
    for at in range(0, len(path), 32):
        assert 0 < last >= index
        while not index & 1 and index == last:
            index, last = index >> 1, last >> 1
        pair = path[at : at + 32] + node if index & 1 else node + path[at : at + 32]
        node, index, last = hashlib.sha256(b"\x01" + pair).digest(), index >> 1, last >> 1
    return node if index == last else None


def is_signed(public, signature, message):
    with suppress(InvalidSignature):
        return Ed25519PublicKey.from_public_bytes(public).verify(signature, message) is None


def exact(text):
    raw = base64.b64decode(text, validate=True)
    assert base64.b64encode(raw).decode() == text
    return raw


def content(record, headers, schema_of):
    names, more = [name for name, _ in headers], [name for name in MORE if name in dict(headers)]
    values = [each.decode() for _, each in [*headers, ("", record["key"] or b"")]]
    found = re.fullmatch(VALUES + "".join(MORE[name] for name in more), "\n".join(values[:-1]))
    kind, time, schema = found.groups()
    assert (names, kind, moment(time) is None) == (EVENT + more, record["topic"].rpartition(".")[0], False)
    if record["value"] is None:
        return None
    magic, number = struct.unpack_from(">bi", record["value"])
    assert (magic, number < 0) == (0, False)
    text, known, source = schema_of(number), {}, BytesIO(record["value"][5:])
    if text is None:
        raise Refused(8, "schema_unknown")
    resolved = resolve(json.loads(text), "", known)
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical(resolved).encode()).digest()).decode().rstrip("=")
    assert (schema, resolved["type"]) == (f"ni:///sha-256;{digest}", "record")
    data = read(resolved, source, known)
    assert not source.read()
    return data


def resolve(schema, space, known):
    if isinstance(schema, list):
        return [resolve(each, space, known) for each in schema]
    if isinstance(schema, str):
        return f"{space}.{schema}" if f"{space}.{schema}" in known else schema
    if "name" not in schema:
        return schema["type"] if schema.keys() == {"type"} else schema
    name, space = schema["name"], schema.get("namespace", space)
    full = {each: schema[each] for each in schema if each != "namespace"}
    full["name"] = f"{space}.{name}" if space and "." not in name else name
    known[full["name"]], space = full, full["name"].rpartition(".")[0]
    if "fields" in schema:
        full["fields"] = [field | {"type": resolve(field["type"], space, known)} for field in schema["fields"]]
    return full


def read(schema, source, known):
    if isinstance(schema, list):
        return read(dict(enumerate(schema))[read("long", source, known)], source, known)
    schema = known.get(schema, {"type": schema}) if isinstance(schema, str) else schema
    kind = schema["type"]
    if kind == "record":
        return {field["name"]: read(field["type"], source, known) for field in schema["fields"]}
    if kind == "enum":
        return dict(enumerate(schema["symbols"]))[read("long", source, known)]
    if kind in ("int", "long"):
        size = len(re.match(rb"[\x80-\xff]{0,9}[\x00-\x7f]", source.getvalue()[source.tell() :])[0])
        value = sum((byte & 127) << 7 * at for at, byte in enumerate(source.read(size)))
        return value >> 1 ^ -(value & 1)
    if kind in FORMS:
        return next(iter(struct.unpack(FORMS[kind], source.read(struct.calcsize(FORMS[kind])))), None)
    size = schema["size"] if kind == "fixed" else read("long", source, known)
    assert len(raw := source.read(size)) == size  # noqa: RUF018
    return raw.decode() if kind == "string" else raw
