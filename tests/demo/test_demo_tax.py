"""The tax register and the CP1251 text export it was filled from."""

import re

from demo_files import moment

from deploy.demo.legacy.people import CivilProvider
from deploy.demo.legacy.tax import EXPORT, EXPORT_HEADER, read_export, write_export


def test_taxpayer_numbers_have_nine_digits(whole):
    """Companies' numbers start with 2 or 3, entrepreneurs' with 4 to 7, and none is given twice."""
    rows = whole("tax", "SELECT STIR, TURI FROM TAXPAYERS")
    forms = {"Y": r"[23]\d{8}", "J": r"[4-7]\d{8}"}
    assert all(re.fullmatch(forms[kind], number) for number, kind in rows)
    assert len({number for number, _ in rows}) == len(rows)


def test_owners_are_residents(whole, whole_files):
    """Every taxpayer belongs to someone in the civil register, and is registered where the owner lives."""
    homes = dict(whole("interior", "SELECT PINFL, TUM_KOD FROM FUQARO"))
    for owner, district in whole("tax", "SELECT EGA_PINFL, TUM_KOD FROM TAXPAYERS"):
        assert homes[owner] == district


def test_owners_were_of_age(whole, whole_files):
    """Nobody registered a company as a child."""
    born = dict(whole("interior", "SELECT PINFL, T_SANA FROM FUQARO"))
    for owner, registered in whole("tax", "SELECT EGA_PINFL, RO_SANA FROM TAXPAYERS"):
        assert (moment(registered) - moment(born[owner])).days >= 18 * 365


def test_names_are_the_bytes_of_the_export(whole, whole_files):
    """The register holds each company's name byte for byte as the CP1251 file has it."""
    lines = (whole_files["tax"].parent / EXPORT).read_bytes().split(b"\r\n")
    exported = {line.split(b"|")[0].decode(): line.split(b"|")[1] for line in lines[1:-1]}
    held = dict(whole("tax", "SELECT STIR, NOMI FROM TAXPAYERS WHERE TURI = 'Y'"))
    assert held == exported
    assert all(isinstance(name, bytes) for name in held.values())


def test_names_go_from_cp1251_to_text_and_back(whole):
    """Every name is Russian text in CP1251, and is not UTF-8 by accident."""
    for (name,) in whole("tax", "SELECT NOMI FROM TAXPAYERS WHERE NOMI IS NOT NULL"):
        text = name.decode("cp1251")
        assert text.encode("cp1251") == name
        assert re.fullmatch(r"[А-Яа-яЁё ]+ «[А-Яа-яЁё -]+( № \d+)?»", text)


def test_entrepreneurs_have_no_company_name(whole):
    """Only companies came with the export."""
    assert whole("tax", "SELECT count(*) FROM TAXPAYERS WHERE (NOMI IS NULL) <> (TURI = 'J')") == [(0,)]


def test_the_export_is_lines_of_three_columns(tmp_path):
    """A header, CRLF at every line's end, `|` between number, name and day."""
    path = tmp_path / "export.txt"
    write_export(path, CivilProvider(5), 25)
    lines = path.read_bytes().decode("cp1251").split("\r\n")
    assert lines[0] == EXPORT_HEADER
    assert lines[-1] == ""
    assert all(re.fullmatch(r"\d{9}\|[^|]+\|\d\d\.\d\d\.\d{4}", line) for line in lines[1:-1])
    assert len(read_export(path)) == 25


def test_debt_goes_with_standing(whole):
    """Who is in debt, deferred or suspended owes something; nobody else does."""
    odd = "SELECT count(*) FROM TAXPAYERS WHERE (QARZ_TIYIN > 0) <> (HOLAT IN ('2', '3', '4'))"
    assert whole("tax", odd) == [(0,)]
    standings = dict(whole("tax", "SELECT HOLAT, count(*) FROM TAXPAYERS GROUP BY HOLAT"))
    assert set(standings) == {"1", "2", "3", "4", "5"}
    assert standings["1"] > 4_000


def test_debt_in_soums_is_exact(whole):
    """The column in soums has the tiyin's digits with a point before the last two."""
    for tiyin, soums in whole("tax", "SELECT QARZ_TIYIN, QARZ_SUM FROM TAXPAYERS"):
        assert soums == f"{tiyin // 100}.{tiyin % 100:02}"
