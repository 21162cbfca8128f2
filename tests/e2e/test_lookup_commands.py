"""Lookups, consents and receipts as a person types them, against a gateway, a provider and a log that really run."""

import json
import sqlite3

import pytest

from deploy.demo.load import Sizes, load_all
from exchange.transport.web import free_port
from tests.e2e.test_processes import expire

TAX = "UZ/GOV/tax/registry/tax-standing"
ABOUT = ("--consumer", "UZ/GOV/procurement/tenders", "--service", TAX, "--purpose", "tender-eligibility")
ASK = ("lookup", TAX, "--consumer", "UZ/GOV/procurement/tenders", "--purpose", "tender-eligibility", "--case", "lot 1")


@pytest.fixture
def running(make_home, kafka, tmp_path):
    """A home in which the gateway, the audit log and the tax committee's adapter run; and a bidder's number."""
    load_all(tmp_path / "data", sizes=Sizes(flights=10, observations=10, residents=300))
    home = make_home(kafka)
    assert home.run("up", "topics").returncode == 0
    for name in ("gateway", "audit"):
        home.ready(home.start(name), home.url(name))
    listen = f"127.0.0.1:{free_port()}"
    child = home.start("adapter", "run", "adapters/tax/registry.yaml", EXCHANGE_ADAPTER_METRICS_LISTEN=listen)
    home.ready(child, f"http://{listen}")
    with sqlite3.connect(tmp_path / "data" / "procurement.db") as connection:
        [(bidder,)] = connection.execute("SELECT STIR FROM TAKLIF ORDER BY TAKLIF_ID LIMIT 1").fetchall()
    return home, f"uz-tin:{bidder}"


def test_a_consent_opens_a_lookup_and_withdrawing_it_closes_it(running, tmp_path):
    """Denied with 6, permitted with the agreed fields, denied again; each with a receipt that verifies offline."""
    home, bidder = running
    receipts = [tmp_path / f"receipt-{number}.json" for number in range(3)]
    person = ("--individual", bidder)
    denied = home.run(*ASK, *person, "--fields", "standing", "--receipt", str(receipts[0]))
    assert (denied.returncode, "consent_missing" in denied.stderr) == (6, True), denied.stderr
    given = home.run("-o", "json", "consent", "give", *ABOUT, *person, "--fields", "standing,debt_uzs")
    assert given.returncode == 0, given.stderr
    assert json.loads(given.stdout)["state"] == "given"
    permitted = home.run("-o", "json", *ASK, *person, "--fields", "standing", "--receipt", str(receipts[1]))
    assert permitted.returncode == 0, permitted.stderr
    assert list(json.loads(permitted.stdout)["data"]) == ["standing"]
    shown = home.run("-o", "json", "consent", "show", *ABOUT, *person)
    assert json.loads(shown.stdout)["state"] == "given"
    paused = home.run("consent", "pause", *ABOUT, *person)
    assert paused.returncode == 0, paused.stderr
    assert "consent_paused" in home.run(*ASK, *person, "--fields", "standing").stderr
    assert home.run("consent", "resume", *ABOUT, *person).returncode == 0
    assert home.run("consent", "withdraw", *ABOUT, *person).returncode == 0
    closed = home.run(*ASK, *person, "--fields", "standing", "--receipt", str(receipts[2]))
    assert (closed.returncode, "consent_withdrawn" in closed.stderr) == (6, True), closed.stderr
    verify_offline(home, [str(path) for path in receipts], tmp_path)


def verify_offline(home, files, tmp_path):
    """Complete the receipts, then verify them with every process stopped and the directory expired."""
    checkpoint = str(tmp_path / "checkpoint")
    assert home.run("audit", "complete", *files).returncode == 0
    assert home.run("audit", "checkpoint", "--write", checkpoint).returncode == 0
    assert "— " in home.run("audit", "checkpoint").stdout
    assert home.run("audit", "complete", *files, "--checkpoint", checkpoint).returncode == 0
    for child in home.children:
        if child.poll() is None:
            assert home.stop(child)[0] == 0
    expire(home)
    verified = home.run("-o", "json", "verify", "receipt", *files, "--checkpoint", checkpoint)
    assert verified.returncode == 0, verified.stderr
    decisions = [json.loads(line)["decision"] for line in verified.stdout.splitlines()]
    assert decisions == ["consent_missing", "released", "consent_withdrawn"]
    forged = tmp_path / "forged.json"
    forged.write_text((tmp_path / "receipt-0.json").read_text().replace('"salt": "', '"salt": "AAAA', 1))
    refused = home.run("verify", "receipt", str(forged))
    assert refused.returncode == 3
    assert str(forged) in refused.stderr


def test_an_individual_can_come_through_stdin(running):
    """A number on stdin is in no list of processes."""
    home, bidder = running
    child = home.start(*ASK, "--fields", "standing", "--individual", "-", stdin=bidder)
    _, err = child.communicate(timeout=40)
    assert (child.returncode, "consent_missing" in err) == (6, True), err
