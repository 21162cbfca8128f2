"""Adapter files: what is read, and how each wrong file is refused."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect import load_adapter
from exchange.errors import SettingsError

GOOD = """\
version: 1
agency: UZ/GOV/hydromet/observations
database:
  url: sqlite:///${DATA}/hydromet.db
  poll: 500ms
publishers:
  - name: hourly
    topic: gov.hydromet.observations.weather-observed.v1
    schema: weather.avsc
    table: OBS
    cursor: IZM
    key: [ORIGIN, TIME_HOUR]
    time: {column: UPD, format: "%Y-%m-%d", zone: UTC}
    fields:
      station: ORIGIN
      observed_at: {column: TIME_HOUR, format: "%Y-%m-%d %H:%M:%S", zone: UTC}
      kind: {column: KIND, codes: {1: urban, "2": rural}}
      name_ru: {column: NAME_RU, charset: cp1251}
      country: {value: UZ}
subscriptions:
  - name: residences
    topic: gov.interior.civil.residence-changed.v1
    table: COPY
    columns: {PINFL: pinfl, REGION: region_code}
    match: [PINFL]
    from: end
services:
  - name: standing
    listen: 127.0.0.1:${PORT}
    table: TAXPAYERS
    individual: {scheme: uz-tin, column: TIN}
    fields: {debt: DEBT}
"""


def load(folder: Path, text: str):
    """The adapter file of a text."""
    path = folder / "adapter.yaml"
    path.write_text(text)
    return load_adapter(path, {"DATA": "/data", "PORT": "9000"})


def test_a_whole_file_is_read(tmp_path):
    """Every part of the form arrives, variables replaced and numeric codes as text."""
    file = load(tmp_path, GOOD)
    assert file.database.url == "sqlite:////data/hydromet.db"
    assert file.database.poll == timedelta(milliseconds=500)
    assert str(file.agency_id) == "UZ/GOV/hydromet/observations"
    [publication], [subscription], [service] = file.publishers, file.subscriptions, file.services
    assert publication.fields["kind"].codes == {"1": "urban", "2": "rural"}
    assert publication.key.columns == ("ORIGIN", "TIME_HOUR")
    assert publication.batch == 10_000
    assert subscription.from_ == "end"
    assert subscription.on_tombstone == "ignore"
    assert service.listen == "127.0.0.1:9000"
    assert file.path == tmp_path / "adapter.yaml"


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5)])
def test_durations_have_units(tmp_path, text, seconds):
    """Seconds, milliseconds and minutes are understood."""
    assert load(tmp_path, GOOD.replace("500ms", text)).database.poll == timedelta(seconds=seconds)


WRONG = [
    ("version: 1", "version: 2", "1:1", "version"),
    ("agency: UZ", "agancy: UZ", "2:1", "did you mean 'agency'"),
    ("agency: UZ/GOV/hydromet/observations", "agency: UZ/GOV/hydromet", "2:1", "subsystem"),
    ("${DATA}", "${DATUM}", "4:8", "${DATUM} is not set"),
    ("sqlite:///${DATA}/hydromet.db", "hydromet.db", "4:3", "not a database URL"),
    ("poll: 500ms", "poll: 500", "5:3", "not a duration"),
    ("poll: 500ms", "poll: 0s", "5:3", "not a duration"),
    ("name: hourly", "name: Hourly Ones", "7:5", "not a name"),
    ("topic: gov.hydromet.observations.w", "topic: gov.interior.civil.w", "8:5", "gov.hydromet.observations."),
    ("topic: gov.hydromet.observations.weather-observed.v1", "topic: weather", "8:5", "not a topic"),
    ("cursor: IZM", "cursr: IZM", "11:5", "did you mean 'cursor'"),
    ("key: [ORIGIN, TIME_HOUR]", "key: ORIGIN", "12:5", "list of columns"),
    ("key: [ORIGIN, TIME_HOUR]", "key: {columns: [A], pseudonym: {scheme: uz-tin, column: A}}", "12:5", "either"),
    ("key: [ORIGIN, TIME_HOUR]", "key: {pseudonym: {scheme: tin, column: A}}", "12:23", "scheme"),
    ('format: "%Y-%m-%d", zone: UTC', 'format: "%Y-%Q", zone: UTC', "13:25", "not a time format"),
    ('format: "%Y-%m-%d", zone: UTC', 'format: "yyyy", zone: UTC', "13:25", "not a time format"),
    ("zone: UTC}\n    fields", "zone: Asia/Tashkant}\n    fields", "13:45", "not a time zone"),
    ("station: ORIGIN", "station: 7", "15:7", "neither a column's name nor a mapping"),
    ("{column: KIND, codes", "{colum: KIND, codes", "17:14", "did you mean 'column'"),
    ("codes: {1: urban", 'format: "%Y", codes: {1: urban', "17:7", "exclude each other"),
    ("charset: cp1251", "charset: cp12510", "18:34", "not a charset"),
    ("{value: UZ}", "{value: UZ, column: A}", "19:7", "exactly one of"),
    ("{value: UZ}", "{value: UZ, charset: cp1251}", "19:7", "only go with a column"),
    ("topic: gov.interior", "topic: gov..interior", "22:5", "not a topic"),
    ("match: [PINFL]", "match: [PINFL, TIN]", "25:20", "'TIN' is not one of"),
    ("match: [PINFL]", "match: []", "25:5", "at least 1"),
    ("from: end", "from: middle", "26:5", "'beginning' or 'end'"),
    ("listen: 127.0.0.1:${PORT}", "listen: here", "29:5", "HOST:PORT"),
    ("scheme: uz-tin", "scheme: TIN", "31:18", "not an identifier scheme"),
    ("    fields: {debt: DEBT}", "    fields: {}", "32:5", "at least 1"),
]


@pytest.mark.parametrize(("right", "wrong", "place", "words"), WRONG)
def test_a_wrong_file_is_refused_where_it_is_wrong(tmp_path, right, wrong, place, words):
    """The message begins with file:line:column and says what would be right."""
    assert right in GOOD
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path, GOOD.replace(right, wrong, 1))
    assert str(refusal.value).startswith(f"{tmp_path / 'adapter.yaml'}:{place}: ")
    assert words in str(refusal.value)


def test_a_file_must_do_something(tmp_path):
    """A file without publishers, subscriptions and services is refused."""
    with pytest.raises(SettingsError, match="no publishers, no subscriptions and no services"):
        load(tmp_path, GOOD[: GOOD.index("publishers:")])


def test_names_are_unique(tmp_path):
    """Two publishers of one name would fence each other."""
    start, end = GOOD.index("  - name: hourly"), GOOD.index("subscriptions:")
    with pytest.raises(SettingsError, match=r":20:5: .*'hourly' is the name of two publishers"):
        load(tmp_path, GOOD[:end] + GOOD[start:end] + GOOD[end:])


def test_two_services_do_not_share_an_address(tmp_path):
    """The second one's line is named."""
    service = GOOD[GOOD.index("  - name: standing") :]
    with pytest.raises(SettingsError, match=r":34:5: .*where standing listens already"):
        load(tmp_path, GOOD + service.replace("standing", "other"))


def test_a_password_is_not_shown(tmp_path):
    """The URL, as it is printed, has no password."""
    file = load(tmp_path, GOOD.replace("sqlite:///${DATA}/hydromet.db", "postgresql://reader:secret@host/db"))
    assert "secret" not in repr(file)
    assert "secret" not in file.database.shown_url


@pytest.mark.parametrize("path", sorted(Path("adapters").glob("*/*.yaml")), ids=str)
def test_the_adapters_of_the_repository_are_valid(path):
    """Every adapter file that comes with the project is read without complaint."""
    ports = dict.fromkeys(("TAX_PORT", "CIVIL_PORT"), "9001")
    assert load_adapter(path, {"DATA": "/data", **ports}).agency.startswith("UZ/GOV/")


LINES = GOOD.splitlines()


@given(number=st.integers(0, len(LINES) - 1), other=st.text(alphabet="abc:{}[]-\"'#&*!|>%@ \t0", max_size=12))
def test_any_changed_line_is_read_or_refused_with_its_place(tmp_path_factory, number, other):
    """Whatever a hand may write, there is a file and a line to look at, and never anything but a refusal."""
    indent = " " * (len(LINES[number]) - len(LINES[number].lstrip()))
    text = "\n".join([*LINES[:number], indent + other, *LINES[number + 1 :]])
    folder = tmp_path_factory.mktemp("adapter")
    with contextlib.suppress(SettingsError):
        assert load(folder, text).agency
        return
    with pytest.raises(SettingsError, match=r"adapter\.yaml:\d+:\d+: "):
        load(folder, text)


@given(number=st.integers(0, len(LINES) - 1))
def test_any_missing_line_is_read_or_refused_with_its_place(tmp_path_factory, number):
    """As for changed ones."""
    folder = tmp_path_factory.mktemp("adapter")
    text = "\n".join([*LINES[:number], *LINES[number + 1 :]])
    with contextlib.suppress(SettingsError):
        assert load(folder, text).agency
        return
    with pytest.raises(SettingsError, match=r"adapter\.yaml:\d+:\d+: "):
        load(folder, text)
