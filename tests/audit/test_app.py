"""The log over real HTTP: its files where C2SP clients look for them, proofs for everyone else."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.audit import AuditClient, Receipt, verify_receipt
from exchange.audit.app import create_app
from exchange.audit.store import LogStore
from exchange.errors import AuditError, DocumentInvalid, PeerUnreachable, ProofInvalid
from exchange.merkle import Tree, leaf_hash, parse_bundle, verify_consistency, verify_inclusion
from exchange.transport.http import HttpClient, HttpResponse
from exchange.transport.web import free_port, serve

from .world import TOPIC, World, data_of, open_store, prove

WORLD = World()
RECORDS = WORLD.records(310)
DATA = [data_of(record) for record in RECORDS]
HASHES = [leaf_hash(data) for data in DATA]


class Served:
    """A log of the first 300 records that is really served; record 300 is pending."""

    def __init__(self, store: LogStore, http: HttpClient, url: str) -> None:
        self.store = store
        self.http = http
        self.url = url
        self.trouble: str | None = None

    async def get(self, path: str) -> HttpResponse:
        return await self.http.send("GET", self.url + path)


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[tuple[HttpClient, str]]:
    listen = f"127.0.0.1:{free_port()}"
    async with serve(app, listen), HttpClient() as http:
        yield http, f"http://{listen}"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    store = open_store(tmp_path)
    store.commit(DATA[:300], {TOPIC: 300})
    troubles: list[Served] = []
    app = create_app(store, lambda leaf: leaf == HASHES[300], lambda: troubles[0].trouble)
    async with serving(app) as (http, url):
        troubles.append(Served(store, http, url))
        yield troubles[0]
    store.close()


async def test_the_checkpoint_is_served_fresh(served: Served) -> None:
    """The signed note is text, and no cache keeps it."""
    answer = await served.get("/checkpoint")
    assert (answer.status, answer.body) == (200, served.store.published.note)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "no-cache" in answer.headers["cache-control"]


async def test_the_whole_tree_can_be_computed_from_what_is_served(served: Served) -> None:
    """A client that reads entry bundles and hash tiles at C2SP's paths comes to the checkpoint's root."""
    bundles = [await served.get(f"/tile/entries/{path}") for path in ("000", "001.p/44")]
    entries = [each for answer, n in zip(bundles, (256, 44), strict=True) for each in parse_bundle(answer.body, n)]
    tiles = [await served.get(f"/tile/0/{path}") for path in ("000", "001.p/44")]
    assert b"".join(tile.body for tile in tiles) == b"".join(map(leaf_hash, entries))
    assert Tree(map(leaf_hash, entries)).root == served.store.published.checkpoint.root
    assert {each.headers["content-type"] for each in (*bundles, *tiles)} == {"application/octet-stream"}
    assert "immutable" in tiles[0].headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/tile/0/001", "/tile/0/000.p/300", "/tile/0/1", "/tile/9/000", "/tile/..%2f..%2fcheckpoint", "/tile/"]
)
async def test_what_is_no_tile_is_not_found(served: Served, path: str) -> None:
    """Tiles that are not there, and paths that are none of C2SP's, are 404."""
    assert (await served.get(path)).status == 404


async def test_a_proof_is_served_as_a_tlog_proof(served: Served) -> None:
    """Asked for a leaf, the log answers with text that completes its receipt."""
    receipt = Receipt(RECORDS[299])
    answer = await served.get(f"/v1/receipts/proof?leaf={receipt.leaf.hex()}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert verify_receipt(receipt.with_proof(answer.body).encode(), WORLD.directory()).index == 299


async def test_a_leaf_that_waits_for_a_checkpoint_is_202(served: Served) -> None:
    """An entry that was taken, and is not covered yet, is on its way."""
    answer = await served.get(f"/v1/receipts/proof?leaf={HASHES[300].hex()}")
    assert (answer.status, json.loads(answer.body)) == (202, {"status": "pending"})
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/v1/receipts/proof", "/v1/proofs/inclusion"])
async def test_a_leaf_that_is_not_known_is_404(served: Served, path: str) -> None:
    """What the log never saw is a problem with a code."""
    answer = await served.get(f"{path}?leaf={HASHES[301].hex()}")
    assert answer.status == 404
    assert json.loads(answer.body)["code"] == "receipt_not_found"


async def test_inclusion_is_proven_by_leaf_and_by_index(served: Served) -> None:
    """Both ways to ask give the same path, for the checkpoint or for a size before it."""
    tree = Tree(HASHES[:300])
    for query, size in ((f"leaf={HASHES[200].hex()}", 300), ("index=200&size=256", 256), ("index=200", 300)):
        proof = json.loads((await served.get(f"/v1/proofs/inclusion?{query}")).body)
        path = [base64.b64decode(each) for each in proof["path"]]
        assert (proof["index"], proof["size"]) == (200, size)
        verify_inclusion(HASHES[200], 200, size, path, tree.root_at(size))


async def test_consistency_is_proven_between_sizes(served: Served) -> None:
    """The proof between two sizes, and from one to the checkpoint, holds."""
    tree = Tree(HASHES[:300])
    for query, new in (("old=100", 300), ("old=100&new=257", 257)):
        proof = json.loads((await served.get(f"/v1/proofs/consistency?{query}")).body)
        path = [base64.b64decode(each) for each in proof["path"]]
        verify_consistency(100, tree.root_at(100), new, tree.root_at(new), path)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/receipts/proof",
        "/v1/receipts/proof?leaf=00",
        f"/v1/receipts/proof?leaf={'G' * 64}",
        "/v1/proofs/inclusion?index=x",
        "/v1/proofs/inclusion?index=300",
        "/v1/proofs/inclusion?index=0&size=301",
        "/v1/proofs/inclusion",
        "/v1/proofs/consistency",
        "/v1/proofs/consistency?old=-1",
        "/v1/proofs/consistency?old=2&new=1",
        "/v1/proofs/consistency?old=1&new=301",
    ],
)
async def test_a_question_that_is_not_one_is_400(served: Served, path: str) -> None:
    """A wrong or missing number or hash is a problem that says what was expected."""
    answer = await served.get(path)
    assert answer.status == 400
    assert json.loads(answer.body)["code"] == "request_malformed"


async def test_readiness_says_what_is_missing(served: Served) -> None:
    """The process lives, is ready, and while the disk is full says that in a 503; its figures are there to scrape."""
    assert (await served.get("/readyz")).status == 200
    served.trouble = "no room for the audit log"
    answer = await served.get("/readyz")
    assert (answer.status, answer.body) == (503, b"no room for the audit log\n")
    assert (await served.get("/healthz")).status == 200
    assert b"exchange_audit_tree_size" in (await served.get("/metrics")).body


async def test_a_client_completes_receipts(served: Served) -> None:
    """A receipt that the client completed verifies under the checkpoint that the client reads."""
    client = AuditClient(served.http, f"{served.url}/")
    complete = await client.complete(Receipt(RECORDS[5]))
    assert verify_receipt(complete.encode(), WORLD.directory(), await client.checkpoint()).index == 5


async def test_a_client_leads_an_old_receipt_to_a_newer_checkpoint(served: Served) -> None:
    """A receipt of yesterday, completed for today's checkpoint, verifies under it and keeps its own proof."""
    client = AuditClient(served.http, served.url)
    old = prove(served.store, RECORDS[7])
    served.store.commit(DATA[300:310], {TOPIC: 310})
    today = await client.checkpoint()
    with pytest.raises(ProofInvalid):
        verify_receipt(old.encode(), WORLD.directory(), today)
    bridged = await client.complete(old, checkpoint=today)
    assert bridged.proof == old.proof
    assert verify_receipt(bridged.encode(), WORLD.directory(), today).checkpoint.size == 300


async def test_a_client_leads_a_new_receipt_to_an_older_checkpoint(served: Served) -> None:
    """A receipt of today also verifies under the checkpoint that somebody kept from yesterday."""
    client = AuditClient(served.http, served.url)
    kept = await client.checkpoint()
    assert (await client.complete(Receipt(RECORDS[7]), checkpoint=kept)).consistency is None
    served.store.commit(DATA[300:310], {TOPIC: 310})
    bridged = await client.complete(Receipt(RECORDS[305]), checkpoint=kept)
    assert verify_receipt(bridged.encode(), WORLD.directory(), kept).index == 305


async def test_a_client_waits_until_a_checkpoint_covers_the_entry(served: Served) -> None:
    """While the entry is on its way the client asks again, and has the proof as soon as there is one."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            served.store.commit(DATA[300:302], {TOPIC: 302})

    client = AuditClient(served.http, served.url, sleep=sleep)
    assert (await client.complete(Receipt(RECORDS[301]))).proof is not None
    assert len(waits) == 3


async def test_a_client_gives_up_at_its_deadline(served: Served) -> None:
    """When no checkpoint comes in time the client says so, and that asking later may help."""
    times = iter(range(0, 100, 2))

    async def sleep(_: float) -> None:
        return

    client = AuditClient(served.http, served.url, monotonic=lambda: next(times), sleep=sleep)
    with pytest.raises(AuditError, match="after 5 s") as caught:
        await client.proof(HASHES[300], seconds=5)
    assert (caught.value.code, caught.value.retriable) == ("proof_pending", True)
    assert next(times) <= 10


async def test_a_client_tells_what_the_log_refused(served: Served) -> None:
    """A refusal carries the log's own words."""
    with pytest.raises(AuditError, match="400: sizes 5 and 4"):
        await AuditClient(served.http, served.url).consistency(5, 4)


async def test_a_client_does_not_complete_what_is_no_receipt(served: Served) -> None:
    """A receipt whose document has no entry is refused before anything is asked."""
    broken = Receipt(WORLD.record().__class__(b"{}", bytes(16)))
    with pytest.raises(DocumentInvalid):
        await AuditClient(served.http, served.url).complete(broken)


async def test_a_log_that_answers_nonsense_is_refused() -> None:
    """An answer that is no proof, or no answer, is an error and not a receipt."""

    async def nonsense(_: object) -> Response:
        return PlainTextResponse("nonsense")

    async def broken(_: object) -> Response:
        return PlainTextResponse("gone", 500)

    app = Starlette(routes=[Route("/v1/proofs/consistency", nonsense), Route("/v1/receipts/proof", broken)])
    async with serving(app) as (http, url):
        client = AuditClient(http, url)
        with pytest.raises(ProofInvalid, match="not a proof"):
            await client.consistency(1, 2)
        with pytest.raises(AuditError, match="with 500"):
            await client.proof(HASHES[0])
        with pytest.raises(PeerUnreachable):
            await AuditClient(http, f"http://127.0.0.1:{free_port()}").checkpoint()
