"""The change counter: every insert and every update gets the next number."""

import pytest
from demo_files import rows_of

from deploy.demo.load import Sizes, load_all

COUNTED = [
    ("statistics", "SOATO", "OZG", "NOMI_RUS"),
    ("customs", "TNVED", "OZG", "NOMI"),
    ("transport", "REYSY", "IZM", "BORT"),
    ("hydromet", "OBS_HOURLY", "IZM", "TEMP"),
    ("interior", "FUQARO", "OZG", "MANZIL"),
    ("tax", "TAXPAYERS", "OZG", "HOLAT"),
]


@pytest.fixture
def files(tmp_path):
    """Databases of this test's own, to be changed."""
    return load_all(tmp_path, sizes=Sizes(flights=30, observations=30, residents=60))


@pytest.mark.parametrize(("agency", "table", "counter", "column"), COUNTED)
def test_loaded_rows_are_numbered_from_one(files, agency, table, counter, column):
    """The first load numbers its rows 1, 2, 3, …, without a hole."""
    numbers = [number for (number,) in rows_of(files[agency], f"SELECT {counter} FROM {table} ORDER BY {counter}")]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(("agency", "table", "counter", "column"), COUNTED)
def test_an_update_moves_its_row_past_all_others(files, agency, table, counter, column):
    """A changed row gets a number larger than any so far; a poller that had seen it sees it again."""
    path = files[agency]
    ((last,),) = rows_of(path, f"SELECT max({counter}) FROM {table}")
    rows_of(path, f"UPDATE {table} SET {column} = {column} WHERE {counter} = 3")
    assert rows_of(path, f"SELECT count(*) FROM {table} WHERE {counter} = 3") == [(0,)]
    assert rows_of(path, f"SELECT count(*) FROM {table} WHERE {counter} > ?", last) == [(1,)]


@pytest.mark.parametrize(("agency", "table", "counter", "column"), COUNTED)
def test_an_update_of_many_rows_numbers_each(files, agency, table, counter, column):
    """No two rows share a number, however many one statement changes."""
    path = files[agency]
    ((last, total),) = rows_of(path, f"SELECT max({counter}), count(*) FROM {table}")
    rows_of(path, f"UPDATE {table} SET {column} = {column}")
    new = rows_of(path, f"SELECT count(DISTINCT {counter}) FROM {table} WHERE {counter} > ?", last)
    assert new == [(total,)]


def test_an_insert_gets_the_next_number(files):
    """A system that knows nothing of the counter inserts, and the row is numbered all the same."""
    path = files["customs"]
    ((last,),) = rows_of(path, "SELECT max(OZG) FROM TNVED")
    rows_of(
        path,
        "INSERT INTO TNVED (KOD, KOD_OTA, DARAJA, NOMI, GURUH, LES_EUDR, LES_EUTR, UGLEROD, SANA_BOSH)"
        " VALUES ('010191', '0101', '6', 'Horses; other', 'animals', 'Y', 'Y', 'Y', '01.01.2027')",
    )
    assert rows_of(path, "SELECT OZG FROM TNVED WHERE KOD = '010191'") == [(last + 1,)]


def test_a_change_that_is_rolled_back_uses_no_number(files):
    """What did not commit leaves no hole for a poller to wonder about."""
    path = files["interior"]
    ((last,),) = rows_of(path, "SELECT max(OZG) FROM FUQARO")
    with pytest.raises(Exception, match="UNIQUE"):
        rows_of(path, "UPDATE FUQARO SET PINFL = (SELECT min(PINFL) FROM FUQARO)")
    rows_of(path, "UPDATE FUQARO SET MANZIL = 'x' WHERE ID = 5")
    assert rows_of(path, "SELECT OZG FROM FUQARO WHERE ID = 5") == [(last + 1,)]


def test_the_number_of_a_deleted_row_is_not_given_again(files):
    """After the newest row is gone, the next change still gets a larger number."""
    path = files["customs"]
    ((last,),) = rows_of(path, "SELECT max(OZG) FROM TNVED")
    rows_of(path, "DELETE FROM TNVED WHERE OZG = ?", last)
    rows_of(path, "UPDATE TNVED SET NOMI = NOMI WHERE KOD = '0101'")
    assert rows_of(path, "SELECT OZG FROM TNVED WHERE KOD = '0101'") == [(last + 1,)]


def test_a_move_remembers_where_from(files):
    """An UPDATE of the district alone keeps the district before, and is one change."""
    path = files["interior"]
    ((resident, home, last),) = rows_of(
        path, "SELECT PINFL, TUM_KOD, (SELECT max(OZG) FROM FUQARO) FROM FUQARO WHERE ID = 9"
    )
    rows_of(path, "UPDATE FUQARO SET VIL_KOD = '1726', TUM_KOD = '1726201' WHERE PINFL = ?", resident)
    after = rows_of(path, "SELECT TUM_KOD, ESKI_TUM, OZG FROM FUQARO WHERE PINFL = ?", resident)
    assert after == [("1726201", home, last + 1)]
