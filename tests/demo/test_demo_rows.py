"""What the agencies' tables hold: counts, references, codes, and what is missing where."""

import re
from datetime import date

import pytest
from demo_files import moment

from deploy.demo.legacy.people import CivilProvider, check_digit, latin, pinfl


@pytest.mark.parametrize(
    ("agency", "table", "count"),
    [
        ("statistics", "SOATO", 14 + 209),
        ("customs", "TNVED", 6_939),
        ("transport", "REYSY", 336_776),
        ("hydromet", "OBS_HOURLY", 26_115),
        ("interior", "FUQARO", 20_000),
        ("tax", "TAXPAYERS", 4_000 + 2_000),
        ("procurement", "TENDER", 300),
        ("social", "NAFAQA", 20_000 // 7),
        ("social", "RESIDENCE_COPY", 0),
    ],
)
def test_the_whole_demo_has_its_rows(whole, agency, table, count):
    """Every row of the packages, and as many synthetic ones as the demo promises."""
    assert whole(agency, f"SELECT count(*) FROM {table}") == [(count,)]


def test_regions_have_their_official_codes(small):
    """Fourteen regions under the codes of the national classifier, Tashkent city being 1726."""
    regions = dict(small("statistics", "SELECT KOD, NOMI_ING FROM SOATO WHERE KOD_OTA IS NULL"))
    assert len(regions) == 14
    assert (regions["1703"], regions["1726"], regions["1735"]) == (
        "Andijan Region",
        "Tashkent",
        "Republic of Karakalpakstan",
    )


def test_territories_have_their_names_in_four_scripts(small):
    """Latin, Cyrillic, Russian, English, each with letters of its script."""
    for latin_name, cyrillic, russian, english in small(
        "statistics", "SELECT NOMI_LAT, NOMI_KIR, NOMI_RUS, NOMI_ING FROM SOATO"
    ):
        assert re.search("[A-Za-z]", latin_name)
        assert re.search("[а-яА-Я]", cyrillic)
        assert re.search("[а-яА-Я]", russian)
        assert re.search("[A-Za-z]", english)


def test_every_district_lies_in_a_region(small):
    """A district's code starts with its region's."""
    stray = "SELECT KOD FROM SOATO WHERE length(KOD) = 7 AND (KOD_OTA IS NULL OR substr(KOD, 1, 4) <> KOD_OTA)"
    assert small("statistics", stray) == []
    orphans = "SELECT KOD FROM SOATO WHERE KOD_OTA IS NOT NULL AND KOD_OTA NOT IN (SELECT KOD FROM SOATO)"
    assert small("statistics", orphans) == []


def test_kinds_follow_the_names(small):
    """One republic, one city of a region's rank, twelve regions, and districts and cities in them."""
    kinds = dict(small("statistics", "SELECT TIP, count(*) FROM SOATO GROUP BY TIP"))
    assert kinds == {"1": 12, "2": 1, "3": 1, "4": 176, "5": 33}


def test_the_tariff_is_a_tree(small):
    """Every heading and subheading has the code above it, chapters have none."""
    assert small("customs", "SELECT count(*) FROM TNVED WHERE KOD_OTA IS NULL") == [(97,)]
    bad = "SELECT KOD FROM TNVED WHERE KOD_OTA IS NOT NULL AND KOD_OTA <> substr(KOD, 1, length(KOD) - 2)"
    assert small("customs", bad) == []
    assert small("customs", "SELECT DARAJA, count(*) FROM TNVED GROUP BY 1") == [("2", 97), ("4", 1229), ("6", 5613)]


def test_cancelled_flights_have_no_times(whole):
    """A flight that did not leave has neither an actual departure nor delays nor time in the air."""
    assert whole("transport", "SELECT SOST, count(*) FROM REYSY GROUP BY SOST ORDER BY SOST") == [
        ("1", 327_346),
        ("2", 8_255),
        ("3", 717 + 458),
    ]
    odd = "SELECT count(*) FROM REYSY WHERE (FAKT_OTPR IS NULL) <> (SOST = '2') OR (ZAD_PRIB IS NULL) <> (SOST <> '1')"
    assert whole("transport", odd) == [(0,)]
    assert whole("transport", "SELECT count(*) FROM REYSY WHERE BORT = 'NA'") == [(2_512,)]
    assert whole("transport", "SELECT count(*) FROM REYSY WHERE V_POLETE = -999") == [(9_430,)]


def test_a_delay_is_the_difference_of_the_times(small):
    """Actual minus scheduled departure is the delay, also past midnight."""
    for planned, actual, delay in small(
        "transport", "SELECT PLAN_OTPR, FAKT_OTPR, ZAD_OTPR FROM REYSY WHERE FAKT_OTPR IS NOT NULL"
    ):
        difference = moment(actual) - moment(planned)
        assert difference.total_seconds() == delay * 60


def test_a_flight_is_known_by_airline_number_and_time(whole):
    """What the events are keyed by names one flight."""
    keys = "SELECT count(DISTINCT AK || '/' || N_REYSA || '/' || PLAN_OTPR) FROM REYSY"
    assert whole("transport", keys) == [(336_776,)]


def test_missing_readings_are_missing_in_three_ways(whole):
    """NULL, NA and -999 all stand for no reading, as the service's systems wrote them."""
    counts = {
        "TEMP = -999": 1,
        "DEWP = -999": 1,
        "HUMID = -999": 1,
        "WIND_DIR = 'NA'": 460,
        "WIND_SPEED IS NULL": 4,
        "WIND_GUST IS NULL": 20_778,
        "PRESSURE = -999": 2_729,
    }
    for condition, count in counts.items():
        assert whole("hydromet", f"SELECT count(*) FROM OBS_HOURLY WHERE {condition}") == [(count,)]


def test_observations_are_one_a_station_and_hour(whole):
    """Station and hour name one observation."""
    keys = "SELECT count(DISTINCT ORIGIN || TIME_HOUR) FROM OBS_HOURLY"
    assert whole("hydromet", keys) == [(26_115,)]


def test_residents_live_in_listed_districts(whole, whole_files):
    """Every resident's region and district, now and before, is in the classifier, and they go together."""
    listed = {code for (code,) in whole("statistics", "SELECT KOD FROM SOATO")}
    for region, district, before in whole("interior", "SELECT VIL_KOD, TUM_KOD, ESKI_TUM FROM FUQARO"):
        assert district in listed
        assert district.startswith(region)
        assert before is None or (before in listed and before != district)


def test_personal_numbers_have_their_structure(whole):
    """Century and sex, the day of birth, and a check digit that is right; no number is given twice."""
    rows = whole("interior", "SELECT PINFL, JINS, T_SANA FROM FUQARO")
    for number, sex, born in rows:
        day = moment(born)
        assert re.fullmatch(r"\d{14}", number)
        assert number[0] == str((3 if day.year <= 2000 else 5) + (sex == "2"))
        assert number[1:7] == f"{day:%d%m%y}"
        assert number[13] == check_digit(number[:13])
    assert len({number for number, _, _ in rows}) == 20_000


@pytest.mark.parametrize(
    ("birth", "male", "number"),
    [
        (date(1985, 12, 20), True, "32012850010017"),
        (date(1985, 12, 20), False, "42012850010014"),
        (date(2000, 12, 31), True, "33112000010018"),
        (date(2001, 1, 1), False, "60101010010017"),
    ],
)
def test_a_personal_number_is_put_together_in_order(birth, male, number):
    """Sex and century, ddmmyy, area 001, serial 001, then 7-3-1 weights modulo 10."""
    assert pinfl(birth, male=male, area=1, serial=1) == number


def test_a_wrong_digit_shows(small):
    """Changing any one digit of a number by one makes its check digit wrong."""
    ((number,),) = small("interior", "SELECT PINFL FROM FUQARO LIMIT 1")
    for place in range(13):
        wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 : 13]
        assert check_digit(wrong) != number[13]


def test_names_are_in_latin_script(small):
    """The register is in Uzbek Latin, whatever language a name is from."""
    for names in small("interior", "SELECT FAM, ISM, coalesce(OTASI, 'A'), MANZIL FROM FUQARO"):
        for name in names:
            assert not re.search("[Ѐ-ӿ]", name)


def test_russian_letters_have_latin_ones():
    """Soft signs go, hard ones become apostrophes, and two letters may stand for one."""
    assert latin("Щёголев") == "Shyogolev"
    assert latin("Объездчикова Юлия") == "Ob’ezdchikova Yuliya"


def test_some_residents_have_no_patronymic_or_postal_code(whole):
    """A register has gaps: NULLs and empty texts, not everywhere but somewhere."""
    for condition in ("OTASI IS NULL", "INDEKS IS NULL", "INDEKS = ''"):
        ((count,),) = whole("interior", f"SELECT count(*) FROM FUQARO WHERE {condition}")
        assert 0 < count < 4_000


def test_nobody_moves_before_being_of_age(small):
    """A registration of one's own comes after the sixteenth birthday, and not in the future."""
    for born, moved in small("interior", "SELECT T_SANA, KOCH_VAQT FROM FUQARO"):
        assert (moment(moved) - moment(born)).days > 16 * 365
        assert moment(moved) < moment("01.11.2026")


def test_the_register_is_in_the_order_of_moves(small):
    """The change counter follows the time of the changes."""
    moves = [moment(moved) for (moved,) in small("interior", "SELECT KOCH_VAQT FROM FUQARO ORDER BY OZG")]
    assert moves == sorted(moves)


def test_a_provider_of_one_seed_repeats_itself():
    """Names, days and addresses come from the seed alone."""
    one, other = CivilProvider(3), CivilProvider(3)
    for _ in range(50):
        assert one.name(male=False) == other.name(male=False)
        assert one.birth_date() == other.birth_date()
        assert one.address("Chilonzor tumani") == other.address("Chilonzor tumani")


def test_bidders_are_companies_that_the_tax_committee_knows(small):
    """Every bid is by a company of the tax register that is not liquidated."""
    known = {number for (number,) in small("tax", "SELECT STIR FROM TAXPAYERS WHERE TURI = 'Y' AND HOLAT <> '5'")}
    bids = small("procurement", "SELECT STIR, LOT_ID, TEKSHIRUV FROM TAKLIF")
    assert {bidder for bidder, _, _ in bids} <= known
    lots = {lot for (lot,) in small("procurement", "SELECT LOT_ID FROM TENDER")}
    assert {lot for _, lot, _ in bids} == lots
    assert {checked for _, _, checked in bids} == {"0"}


def test_some_bidders_are_in_debt(whole, whole_files):
    """The check at the tax committee has something to find."""
    debtors = {number for (number,) in whole("tax", "SELECT STIR FROM TAXPAYERS WHERE HOLAT = '2'")}
    bidders = {number for (number,) in whole("procurement", "SELECT STIR FROM TAKLIF")}
    assert debtors & bidders
    assert bidders - debtors


def test_benefits_are_residents(small):
    """Every case is of a resident of the civil register, and closed ones have a day of closing."""
    residents = {number for (number,) in small("interior", "SELECT PINFL FROM FUQARO")}
    cases = small("social", "SELECT PINFL, HOLAT, YOPILGAN FROM NAFAQA")
    assert {number for number, _, _ in cases} <= residents
    assert all((state == "3") == (closed is not None) for _, state, closed in cases)


def test_the_copy_of_residences_can_be_matched(small):
    """The sink's table is keyed by the personal number, so an upsert finds its row."""
    keys = [name for _, name, _, _, _, place in small("social", "PRAGMA table_info(RESIDENCE_COPY)") if place]
    assert keys == ["PINFL"]
