"""Schemas as Java's parser may meet them, right and wrong, and pairs of schemas that nearly fit."""

import copy
import json

from hypothesis import strategies as st

PLAIN = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
FULL_NAMES = ["A", "B", "C", "x.A", "x.B", "y.A", "x.y.C"]
ODD_NAMES = ["1", "", "a.", "..b", ".A", "é.ф", "int", "x.int", "record", "array"]
NAMESPACES = ["", "x", "y", "x.y", None, 5, "1", ".z"]
FIELDS = ["a", "b", "c", "d", "é", "_1"]
ATTRIBUTES = [1, 2.5, 1e10, 1e-5, 100.0, {"b": 1, "a": [None, True]}, None, "s", -0.0, 123456789.25, 2**40]
DEFAULTS = [None, 1, "1.5", "P", "\u00ff", [], {}, True, 2.5, 2**31, 2**63]
OF_TYPE = {"boolean": True, "int": 5, "long": 2**40, "float": 1.5, "double": 100, "bytes": "\u00ff", "string": "s"}


class _Writer:
    """Makes schemas by chance; `names` are those that types are given and called by."""

    def __init__(self, random):
        self.random = random
        self.pick = random.choice

    def often(self, chance):
        return self.random.random() < chance

    def shuffled(self, made):
        if self.often(0.8):
            return made
        items = list(made.items())
        self.random.shuffle(items)
        return dict(items)

    def attributes(self):
        made = {
            "doc": self.pick(['d\x1f"\\\n/é\u2028', "", 5, None]),
            "z": self.pick(ATTRIBUTES),
            "logicalType": self.pick(["decimal", "uuid", "date", "timestamp-millis", 5, "x"]),
            "precision": self.pick([4, 0, "4", -1, 40]),
            "scale": self.pick([2, 9, 0, -1]),
        }
        return {key: value for key, value in made.items() if self.often(0.1)}

    def type(self, depth):
        kinds = ["plain", "plain", "object", "name"] + [
            "union",
            "array",
            "map",
            "record",
            "record",
            "enum",
            "fixed",
        ] * (depth > 0)
        return getattr(self, f"_{self.pick(kinds)}")(depth)

    def _plain(self, _):
        return self.pick(PLAIN)

    def _object(self, _):
        return self.shuffled({"type": self.pick(PLAIN), **self.attributes()})

    def _name(self, _):
        return self.pick([*FULL_NAMES, "int"])

    def _union(self, depth):
        return [self.type(depth - 1) for _ in range(self.pick([0, 1, 2, 2, 3]))]

    def _array(self, depth):
        return self.shuffled({"type": "array", "items": self.type(depth - 1), **self.attributes()})

    def _map(self, depth):
        return self.shuffled({"type": "map", "values": self.type(depth - 1), **self.attributes()})

    def _record(self, depth):
        fields = [self.field(depth - 1) for _ in range(self.pick([0, 1, 2, 3]))]
        return self.shuffled(self.named(self.pick(["record", "record", "error"])) | {"fields": fields})

    def _enum(self, _):
        symbols = self.random.sample("PQRS", self.pick([0, 1, 2, 3, 4])) + ["P"] * self.often(0.03)
        default = {"default": self.pick(["P", "Q", 5, None])} if self.often(0.3) else {}
        return self.shuffled(self.named("enum") | {"symbols": symbols} | default)

    def _fixed(self, _):
        sizes = [1, 2, 12, 16] if self.often(0.95) else [-1, 0, 2**31 - 8, 2**31 - 9, "1", 1.0, True, 2**31]
        return self.shuffled(self.named("fixed") | {"size": self.pick(sizes)})

    def named(self, kind):
        made = {"type": kind, "name": self.pick(FULL_NAMES if self.often(0.93) else ODD_NAMES)}
        if self.often(0.4):
            made["namespace"] = self.pick(NAMESPACES[:4] if self.often(0.9) else NAMESPACES)
        if self.often(0.2):
            made["aliases"] = [self.pick(["A", "B", ".C", "x.A", "y.Z"]) for _ in range(self.pick([0, 1, 2]))]
        return made | self.attributes()

    def field(self, depth):
        made = {"name": self.pick(FIELDS), "type": self.type(depth)}
        if self.often(0.3):
            made["default"] = self.pick(DEFAULTS) if self.often(0.3) else self.default(made["type"])
        if self.often(0.1):
            made["order"] = self.pick(["ascending", "DESCENDING", "ignore", "Ignore", "up", 5])
        if self.often(0.15):
            made["aliases"] = self.pick([["a"], ["b", "c"], ["b", "b"], ["b c"], [], "a", [5]])
        return self.shuffled(made | (self.attributes() if self.often(0.1) else {}))

    def default(self, kind):
        """A default that may fit."""
        if isinstance(kind, list):
            return self.default(self.pick(kind)) if kind else None
        if isinstance(kind, str):
            return OF_TYPE.get(kind)
        outer = kind["type"]
        if outer in ("array", "map"):
            inner = self.default(kind["items" if outer == "array" else "values"])
            return [inner] if outer == "array" else {"k": inner}
        if outer in ("record", "error"):
            return {each["name"]: self.default(each["type"]) for each in kind["fields"] if self.often(0.8)}
        if outer == "enum":
            return self.pick(kind["symbols"] or ["P"])
        return "\u0001" * 2 if outer == "fixed" else OF_TYPE.get(outer)

    def changed(self, schema):
        """A schema of one to three small changes."""
        holder = {"type": copy.deepcopy(schema)}
        for _ in range(self.pick([1, 2, 3])):
            self._change(*self.pick(list(_places(holder, "type"))))
        return holder["type"]

    def _change(self, holder, key):
        part = holder[key]
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, list) and self.often(0.7):
            part.append(self.pick(PLAIN)) if self.often(0.5) or not part else part.pop()
        elif kind in ("record", "error") and self.often(0.8):
            self._change_record(part)
        elif kind == "enum" and self.often(0.8):
            part["symbols"] = self.random.sample("PQRS", 2)
            part.pop("default", None)
        elif kind == "fixed" and self.often(0.8):
            part["size"] = self.pick([1, 2])
        else:
            holder[key] = self.type(0) if self.often(0.8) else [part]

    def _change_record(self, record):
        fields = record["fields"]
        change = self.pick(["new", "gone", "renamed", "alias", "name", "name with alias"])
        if change == "new" or not fields:
            fields.append(self.field(0))
        elif change == "gone":
            fields.pop(self.random.randrange(len(fields)))
        elif change == "renamed":
            self.pick(fields)["name"] = self.pick(FIELDS)
        elif change == "alias":
            self.pick(fields)["aliases"] = [self.pick(FIELDS)]
        else:
            aliases = {"aliases": [record["name"], ".A"]} if change == "name with alias" else {}
            record |= {"name": self.pick(FULL_NAMES)} | aliases


def _places(holder, key):
    """Where in a schema a type stands: the object or array, and the key or index."""
    yield holder, key
    part = holder[key]
    if isinstance(part, list):
        for index in range(len(part)):
            yield from _places(part, index)
    elif isinstance(part, dict):
        for inner in ("items", "values"):
            if inner in part:
                yield from _places(part, inner)
        for field in part.get("fields", []):
            yield from _places(field, "type")


_RANDOM = st.randoms(use_true_random=False)


@st.composite
def texts(draw):
    """The JSON of what may be a schema."""
    return json.dumps(_Writer(draw(_RANDOM)).type(3))


@st.composite
def pairs(draw):
    """The JSON of what may be a schema, and of another that nearly is the same."""
    writer = _Writer(draw(_RANDOM))
    one = writer._record(3) if writer.often(0.7) else writer.type(3)
    return json.dumps(one), json.dumps(writer.changed(one))
