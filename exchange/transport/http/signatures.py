"""HTTP message signatures: RFC 9421 with `ed25519`, in the one profile of spec 5; anything else is refused.

    content-digest:  sha-256=:<base64>:                                                     (RFC 9530)
    signature-input: exchange=(<components>);created=<unix s>;keyid="<agency>#<16 hex>";tag="exchange-v1"
    signature:       exchange=:<base64 of 64 bytes>:

What is signed is one line a component, `<name>: <value>`, and last `"@signature-params": <the input's value>`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from exchange.errors import IdentifierError, RequestRefused, SignatureInvalid
from exchange.ids import AgencyId
from exchange.trust import Agency, Directory, Key, Signer, key_id

WINDOW = timedelta(seconds=30)
_PORTS = {"http": 80, "https": 443}
_REQUEST = '("@method" "@authority" "@path" "@query" "content-digest" "x-transaction-id")'
_RESPONSE = '("@status" "content-digest" "x-transaction-id" "signature";req;key="exchange")'
_INPUT = re.compile(
    r"exchange=(?P<params>(?P<components>\([^()]{1,200}\));created=(?P<created>[1-9][0-9]{0,11})"
    r';keyid="(?P<keyid>[A-Za-z0-9/#-]{1,220})";tag="exchange-v1")'
)
_SIGNATURE = re.compile(r"exchange=(?P<value>:(?P<base64>[A-Za-z0-9+/]{85}[AQgw]==):)")  # the one spelling of 64 bytes
_TRANSACTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an agency signs HTTP messages with."""

    agency: AgencyId
    signer: Signer

    @property
    def keyid(self) -> str:
        """`<agency>#<fingerprint>`."""
        return key_id(self.agency, self.signer.public)

    def current(self) -> Credentials:
        """With the signer of this moment: `keyid` and what it signs are of one key, whatever is rotated meanwhile."""
        return Credentials(self.agency, self.signer.current())


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a request's signature covers, and its headers (names in lower case). `query` is without `?`."""

    method: str
    authority: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """Who sent a request, under which transaction, and the signature its answer must name."""

    agency: AgencyId
    transaction_id: str
    created: datetime
    signature: str


def sign_request(request: HttpRequest, transaction_id: str, credentials: Credentials, now: datetime) -> dict[str, str]:
    """The headers to add to `request` (its own headers are not signed)."""
    credentials = credentials.current()
    digest = content_digest(request.body)
    params = _params(_REQUEST, credentials, now)
    base = _request_base(request, digest, transaction_id, params)
    return _signed_headers(base, params, digest, transaction_id, credentials)


def verify_request(request: HttpRequest, directory: Directory, now: datetime) -> VerifiedRequest:
    """Who signed `request`; raises RequestRefused with a code, or DirectoryExpired."""
    directory.require_current(now)
    transaction_id = _transaction_id(request.headers)
    given = _parse_input(request.headers, _REQUEST)
    digest = _verify_digest(request.headers, request.body)
    created = _verify_created(given["created"], now)
    agency, key = _find_key(given["keyid"], directory, now)
    signature = _parse_signature(request.headers)
    _verify(key, signature["base64"], _request_base(request, digest, transaction_id, given["params"]))
    return VerifiedRequest(agency.id, transaction_id, created, signature["value"])


def sign_response(
    status: int, body: bytes, transaction_id: str, request_signature: str, credentials: Credentials, now: datetime
) -> dict[str, str]:
    """The headers to add to a response, bound to the request whose signature it names."""
    credentials = credentials.current()
    digest = content_digest(body)
    params = _params(_RESPONSE, credentials, now)
    base = _response_base(status, digest, transaction_id, request_signature, params)
    return _signed_headers(base, params, digest, transaction_id, credentials)


def verify_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    request_headers: Mapping[str, str],
    answering: AgencyId,
    directory: Directory,
    now: datetime,
) -> None:
    """That `answering` signed this response to that very request; raises RequestRefused or DirectoryExpired."""
    directory.require_current(now)
    transaction_id = _transaction_id(headers)
    if transaction_id != request_headers["x-transaction-id"]:
        raise _refused("transaction_mismatch", "the answer names another transaction than the request")
    given = _parse_input(headers, _RESPONSE)
    digest = _verify_digest(headers, body)
    _verify_created(given["created"], now)
    agency, key = _find_key(given["keyid"], directory, now)
    if agency.id != answering:
        raise _refused("signature_wrong_agency", f"the answer is signed by {agency.id}; expected {answering}")
    request_signature = _parse_signature(request_headers)["value"]
    base = _response_base(status, digest, transaction_id, request_signature, given["params"])
    _verify(key, _parse_signature(headers)["base64"], base)


def content_digest(body: bytes) -> str:
    """`sha-256=:<base64>:` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def authority_of(url: str) -> str:
    """`@authority` of a URL (RFC 9421, 2.2.3): what goes out as Host, so without a user or the scheme's own port."""
    parts = urlsplit(url)
    own = f":{_PORTS.get(parts.scheme, '')}"
    return parts.netloc.rpartition("@")[2].lower().removesuffix(own)


class TransactionWindow:
    """Each transaction id is taken once in five minutes; what was signed before `start` is refused.

    The second rule is what makes the first survive a restart: ids seen by an earlier process cannot come again.
    """

    def __init__(self, start: datetime, keep: timedelta = timedelta(minutes=5)) -> None:
        self._start = start
        self._keep = keep
        self._seen: dict[str, datetime] = {}

    def admit(self, request: VerifiedRequest, now: datetime) -> None:
        """Raises RequestRefused with `transaction_replayed` or `created_outside_window`."""
        if request.created < self._start.replace(microsecond=0):
            raise _refused("created_outside_window", "the request was signed before this process started: sign it anew")
        self._forget(now)
        if request.transaction_id in self._seen:
            raise _refused("transaction_replayed", f"transaction {request.transaction_id} was seen before")
        self._seen[request.transaction_id] = now

    def _forget(self, now: datetime) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if now - self._seen[oldest] <= self._keep:
                return
            del self._seen[oldest]


def _refused(code: str, message: str) -> RequestRefused:
    return RequestRefused(message, code=code)


def _params(components: str, credentials: Credentials, now: datetime) -> str:
    return f'{components};created={int(now.timestamp())};keyid="{credentials.keyid}";tag="exchange-v1"'


def _request_base(request: HttpRequest, digest: str, transaction_id: str, params: str) -> bytes:
    return (
        f'"@method": {request.method}\n"@authority": {request.authority.lower()}\n"@path": {request.path}\n'
        f'"@query": ?{request.query}\n"content-digest": {digest}\n"x-transaction-id": {transaction_id}\n'
        f'"@signature-params": {params}'
    ).encode()


def _response_base(status: int, digest: str, transaction_id: str, request_signature: str, params: str) -> bytes:
    return (
        f'"@status": {status}\n"content-digest": {digest}\n"x-transaction-id": {transaction_id}\n'
        f'"signature";req;key="exchange": {request_signature}\n"@signature-params": {params}'
    ).encode()


def _signed_headers(
    base: bytes, params: str, digest: str, transaction_id: str, credentials: Credentials
) -> dict[str, str]:
    return {
        "content-digest": digest,
        "x-transaction-id": transaction_id,
        "signature-input": f"exchange={params}",
        "signature": f"exchange=:{base64.b64encode(credentials.signer.sign(base)).decode()}:",
    }


def _transaction_id(headers: Mapping[str, str]) -> str:
    transaction_id = headers.get("x-transaction-id", "")
    if _TRANSACTION.fullmatch(transaction_id) is None:
        raise _refused("transaction_missing", "x-transaction-id must be a UUIDv7 in lower case")
    return transaction_id


def _parse_input(headers: Mapping[str, str], components: str) -> re.Match[str]:
    if "signature-input" not in headers or "signature" not in headers:
        raise _refused("signature_missing", "the message is not signed (RFC 9421, label `exchange`, spec 5)")
    match = _INPUT.fullmatch(headers["signature-input"])
    if match is None or match["components"] != components:
        raise _refused("signature_malformed", f"signature-input is not of the profile: exchange={components};created=…")
    return match


def _parse_signature(headers: Mapping[str, str]) -> re.Match[str]:
    match = _SIGNATURE.fullmatch(headers["signature"])
    if match is None:
        raise _refused("signature_malformed", "signature is not `exchange=:<base64 of 64 bytes>:`")
    return match


def _verify_digest(headers: Mapping[str, str], body: bytes) -> str:
    digest = content_digest(body)
    if headers.get("content-digest") != digest:
        raise _refused("digest_mismatch", "content-digest is missing or is not the SHA-256 of the body")
    return digest


def _verify_created(created: str, now: datetime) -> datetime:
    skew = now.timestamp() - int(created)
    if abs(skew) > WINDOW.total_seconds():
        direction = "before" if skew > 0 else "after"
        raise _refused(
            "created_outside_window",
            f"the message was signed {abs(skew):.0f} s {direction} the time of our clock; at most {WINDOW.seconds} s "
            "are allowed: set the clocks (NTP)",
        )
    return datetime.fromtimestamp(int(created), UTC)


def _find_key(keyid: str, directory: Directory, now: datetime) -> tuple[Agency, Key]:
    try:
        agency = directory.agency(AgencyId.parse(keyid.partition("#")[0]))
    except IdentifierError as error:
        raise _refused("signature_malformed", error.message) from None
    if agency is None:
        raise _refused("agency_unknown", f"{keyid} names an agency that is not in the directory")
    if not agency.active:
        raise _refused("agency_suspended", f"{agency.id} is suspended")
    key = agency.key_by_id(keyid)
    if key is None or not key.is_valid_at(now):
        raise _refused("key_not_valid", f"{keyid} is not a key of {agency.id} that is valid now")
    return agency, key


def _verify(key: Key, signature: str, base: bytes) -> None:
    try:
        key.public.verify(base64.b64decode(signature, validate=True), base)
    except (SignatureInvalid, binascii.Error):
        raise _refused("signature_invalid", "the signature does not verify: the message was altered") from None
