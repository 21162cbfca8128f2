"""Confluent's interface as plain requests: an answer is its body; a refusal is its status, code and message."""

import json
from typing import NamedTuple
from urllib.parse import quote

import httpx

JSON = "application/vnd.schemaregistry.v1+json"


class Refused(NamedTuple):
    """What a request was refused with."""

    status: int
    code: int
    message: str


class Rest:
    """Requests by the segments of a path, which are quoted; True and False in a query are `true` and `false`."""

    def __init__(self, url, prefix=()):
        self.url = url
        self._prefix = prefix
        self._http = httpx.Client(base_url=url, timeout=20.0, verify=False)  # noqa: S501  (plain HTTP: loads no roots)

    def close(self):
        """Let the connections go."""
        self._http.close()

    def under(self, *prefix):
        """The same registry under a path of its own, such as `/contexts/.ctx`."""
        return Rest(self.url, prefix)

    def raw(self, method, *path, body=None, headers=(), **query):
        """The response as it came; a body that is not bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": JSON, **dict(headers)} if content is not None else dict(headers)
        target = "/" + "/".join(quote(str(each), safe="") for each in (*self._prefix, *path))
        values = {name: str(each).lower() if isinstance(each, bool) else each for name, each in query.items()}
        return self._http.request(method, target, content=content, headers=sent, params=values)

    def call(self, method, *path, **more):
        """The body of the answer, or Refused."""
        response = self.raw(method, *path, **more)
        body = response.json()
        return body if response.is_success else Refused(response.status_code, body["error_code"], body["message"])

    def get(self, *path, **query):
        """GET."""
        return self.call("GET", *path, **query)

    def post(self, *path, body, **query):
        """POST."""
        return self.call("POST", *path, body=body, **query)

    def put(self, *path, body, **query):
        """PUT."""
        return self.call("PUT", *path, body=body, **query)

    def delete(self, *path, **query):
        """DELETE."""
        return self.call("DELETE", *path, **query)

    def register(self, subject, schema, *, normalize=False, **more):
        """The id that registering gives, or Refused."""
        body = self.post("subjects", subject, "versions", body={"schema": schema, **more}, normalize=normalize)
        return body if isinstance(body, Refused) else body["id"]

    def lookup(self, subject, schema, *, deleted=False, normalize=False, **more):
        """The version that a subject has this schema as, or Refused."""
        return self.post("subjects", subject, body={"schema": schema, **more}, deleted=deleted, normalize=normalize)

    def check(self, subject, schema, version=None, *, verbose=False, normalize=False, **more):
        """The verdict about a schema, or Refused."""
        path = ("compatibility", "subjects", subject, "versions", *([] if version is None else [version]))
        return self.post(*path, body={"schema": schema, **more}, verbose=verbose, normalize=normalize)

    def level(self, level, *subject):
        """Set the compatibility level of a subject, or of all."""
        return self.put("config", *subject, body={"compatibility": level})

    def mode(self, mode, *subject, **query):
        """Set the mode of a subject, or of all."""
        return self.put("mode", *subject, body={"mode": mode}, **query)


def record(*fields, name="myrecord", **more):
    """A record schema as Avro for Java prints it; a field is a name (a string), a pair, or a triple with default."""
    made = [_field(*((each, "string") if isinstance(each, str) else each)) for each in fields]
    return json.dumps({"type": "record", "name": name, **more, "fields": made}, separators=(",", ":"))


def _field(name, kind, *default):
    return {"name": name, "type": kind} | ({"default": default[0]} if default else {})


ONE = record("f1")
TWO = record("f1", ("f2", "string", "foo"))
TWO_WITHOUT_DEFAULT = record("f1", "f2")
OTHER = record(("f1", "int"))
EACH_OF_TEN = [record((f"f{number}", "string", "")) for number in range(10)]
"""Schemas that may follow each other in any order."""
