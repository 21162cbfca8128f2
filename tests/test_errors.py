"""The error tree."""

import inspect

import pytest

from exchange import errors
from exchange.errors import AccessDenied, ExchangeError, RecordRefused

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ExchangeError)]


def test_every_class_of_the_drawing_exists_and_the_other_way_round():
    """The tree drawn at the top of the module is the tree of the code."""
    drawn = {line.replace("│", "").split("─ ")[1].split()[0] for line in errors.__doc__.splitlines() if "─ " in line}
    assert drawn | {"ExchangeError"} == {kind.__name__ for kind in CLASSES}


def test_codes_tell_errors_apart():
    """A program can branch on a code: no two classes share one."""
    assert len({kind.code for kind in CLASSES}) == len(CLASSES)


def test_the_nine_steps_of_verification_are_numbered():
    """Spec 3 has nine steps, each with an error of its own."""
    assert sorted(kind.step for kind in RecordRefused.__subclasses__()) == list(range(1, 10))


def test_a_denial_carries_the_code_of_its_rule():
    """An instance may say which rule it was; the class keeps its own code."""
    denial = AccessDenied("no consent", code="consent_missing")
    assert denial.code == "consent_missing"
    assert denial.message == "no consent"
    assert AccessDenied("no").code == "access_denied"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_ends_a_command_with_a_failure(kind):
    """No error exits with 0."""
    assert 1 <= kind.exit_code <= 11
