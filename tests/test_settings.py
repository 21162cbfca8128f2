"""Settings: from the file, then the environment; what is wrong is named."""

import pytest

from exchange.errors import SettingsError
from exchange.settings import load_settings


@pytest.fixture
def home(tmp_path):
    """A home with the smallest settings file."""
    (tmp_path / "exchange.yaml").write_text("instance: UZ\n")
    return tmp_path


def test_defaults_hold_where_the_file_is_silent(home):
    """An instance with nothing but a name can start."""
    settings = load_settings(home, {})
    assert settings.instance == "UZ"
    assert settings.registry.listen == "127.0.0.1:8081"
    assert settings.registry.open is False


def test_the_environment_overrides_the_file(home):
    """EXCHANGE_<SECTION>_<NAME> wins."""
    (home / "exchange.yaml").write_text("audit:\n  checkpoint_seconds: 5\n")
    assert load_settings(home, {}).audit.checkpoint_seconds == 5
    environment = {"EXCHANGE_AUDIT_CHECKPOINT_SECONDS": "2.5", "EXCHANGE_UNRELATED": "x"}
    assert load_settings(home, environment).audit.checkpoint_seconds == 2.5


def test_a_cluster_is_named_by_several_of_its_brokers(home):
    """Whichever of them answers tells of the others."""
    (home / "exchange.yaml").write_text("kafka: {bootstrap: 'k-1:9092,k-2:9092,k-3:9092'}\n")
    assert load_settings(home, {}).kafka.bootstrap == "k-1:9092,k-2:9092,k-3:9092"
    assert load_settings(home, {"EXCHANGE_KAFKA_BOOTSTRAP": "a:1,b:2"}).kafka.bootstrap == "a:1,b:2"


def test_a_wrong_variable_is_named_with_its_value(home):
    """Who set it can find it."""
    with pytest.raises(SettingsError, match=r"EXCHANGE_AUDIT_CHECKPOINT_SECONDS = '-1'.*greater than 0"):
        load_settings(home, {"EXCHANGE_AUDIT_CHECKPOINT_SECONDS": "-1"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kafka:\n  bootstap: 127.0.0.1:9092\n", r":2:3: unknown key 'kafka.bootstap'; did you mean 'bootstrap'"),
        ("kafka:\n  bootstrap: 127.0.0.1\n", r":2:3: kafka.bootstrap: '127.0.0.1' is not HOST:PORT"),
        ("kafka:\n  bootstrap: 'k-1:9092,k-2'\n", r":2:3: kafka.bootstrap: 'k-2' is not HOST:PORT"),
        ("kafka:\n  bootstrap: 'k-1:9092,'\n", r":2:3: kafka.bootstrap: '' is not HOST:PORT"),
        ("gateway:\n  agency: UZ/GOV/egov\n", r":2:3: gateway.agency: .*names no subsystem"),
        ("gateway:\n  agency: egov\n", r":2:3: gateway.agency: .*is not an agency"),
        ("console:\n  refresh_seconds: 0\n", r":2:3: console.refresh_seconds = 0: .*greater than or equal to 1"),
        ("instance: uz\n", r":1:1: instance = 'uz'"),
        ("kafka: [1\n", r":2:1: not YAML"),
        ("- a\n", r":1:1: expected keys and values"),
        ("variables: {DATA: '${NOWHERE}'}\n", r":1:19: \$\{NOWHERE\} is not set"),
    ],
)
def test_a_wrong_line_is_named_with_line_and_column(home, text, message):
    """What a person mistyped is found where they typed it."""
    (home / "exchange.yaml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings(home, {})


def test_a_home_without_an_instance_says_how_to_make_one(tmp_path):
    """The first thing a newcomer meets is not a stack."""
    with pytest.raises(SettingsError, match=r"exchange --home .* init"):
        load_settings(tmp_path, {})


def test_a_file_that_is_not_text_is_refused(home):
    """Bytes that are not UTF-8 are named by their place."""
    (home / "exchange.yaml").write_bytes(b"instance: \xff\n")
    with pytest.raises(SettingsError, match="not UTF-8 at byte 10"):
        load_settings(home, {})


def test_variables_are_filled_in_and_a_dollar_can_be_written(home):
    """${NAME} is replaced, $${ is a literal ${."""
    (home / "exchange.yaml").write_text("variables: {DATA: '${BASE}/legacy', RAW: '$${BASE}'}\n")
    assert load_settings(home, {"BASE": "/srv"}).variables == {"DATA": "/srv/legacy", "RAW": "${BASE}"}
