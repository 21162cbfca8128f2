"""How commands are used: help, wrong arguments, unknown commands."""

import pytest

from exchange.cli.app import _COMMANDS


def test_every_command_has_help(run):
    """Each command of the list can be asked what it does."""
    for name in _COMMANDS:
        answer = run(name, "--help")
        assert answer.code == 0
        assert "Usage:" in answer.out


def test_the_list_of_commands_says_what_each_does(run):
    """`exchange --help` is enough to find the way."""
    text = run("--help").out
    for name, (_, summary) in _COMMANDS.items():
        assert name in text
        assert summary.split(",")[0] in text
    assert "Exit codes" in text


def test_an_unknown_command_is_refused(run):
    """A mistyped command exits with 2."""
    answer = run("gatway")
    assert answer.code == 2
    assert "No such command 'gatway'" in answer.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--consumer", "procurement", "is not an agency"),
        ("--individual", "305123456", "expected SCHEME:VALUE"),
        ("--individual", "tin:305123456", "is not an identifier scheme"),
        ("--fields", "standing,,debt", "expected names separated by commas"),
    ],
)
def test_wrong_arguments_of_a_lookup_are_named(run, home, option, value, message):
    """Each malformed argument says what would be right, before anything is sent."""
    options = {
        "--consumer": "UZ/GOV/procurement/tenders",
        "--individual": "uz-tin:305123456",
        "--purpose": "tender-eligibility",
        "--fields": "standing",
        "--case": "1",
    }
    options[option] = value
    arguments = [part for pair in options.items() for part in pair]
    answer = run("lookup", "UZ/GOV/tax/registry/tax-standing", *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_a_service_that_is_none_is_refused(run, home):
    """A lookup needs a service's whole name."""
    answer = run("lookup", "tax-standing")
    assert answer.code == 2
    assert "is not a service" in answer.err
