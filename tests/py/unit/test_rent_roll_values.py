"""What a cell means, and what is said of one that can't be read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.imports import values
from workers.imports.columns import LEASE_STATUSES, PROPERTY_TYPES
from workers.imports.problem import Unreadable

NO_SHIFT = timedelta()


@pytest.mark.parametrize(
    ("cell", "currency", "minor"),
    [
        ("1,250.00", "USD", "125000"),
        ("$1,250", "USD", "125000"),
        ("1250", "USD", "125000"),
        ("1250.5", "USD", "125050"),
        ("0", "USD", "0"),
        ("0.07", "USD", "7"),
        ("1,250.", "USD", "125000"),
        ("1,234,567.89", "USD", "123456789"),
        ("USD 1,250.00", "USD", "125000"),
        ("1250.00 EUR", "EUR", "125000"),
        ("€900", "EUR", "90000"),
        ("$900", "CAD", "90000"),
        ("¥120,000", "JPY", "120000"),
        ("120000.00", "JPY", "120000"),
        ("85.250", "KWD", "85250"),
    ],
)
def test_amounts_become_minor_units_of_their_currency(cell: str, currency: str, minor: str) -> None:
    assert values.money(cell, currency) == minor


@pytest.mark.parametrize(
    ("cell", "currency", "remedy"),
    [
        ("1.250,00", "USD", "point before the cents"),
        ("1,25", "USD", "point before the cents"),
        ("12,50.00", "USD", "point before the cents"),
        ("-5", "USD", "not negative"),
        ("(50.00)", "USD", "not negative"),
        ("n/a", "USD", "Write an amount"),
        ("1e3", "USD", "Write an amount"),
        ("1.005", "USD", "at most 2 digits"),
        ("120000.5", "JPY", "at most 0 digits"),
        ("€900", "USD", "€ isn't USD"),
        ("$900", "EUR", "$ isn't EUR"),
        ("CAD 900", "USD", "read as USD"),
        ("10000000000000000", "USD", "too large"),
        ("١٢", "USD", "Write an amount"),
    ],
)
def test_an_amount_that_could_be_mistaken_is_refused(cell: str, currency: str, remedy: str) -> None:
    with pytest.raises(Unreadable) as refused:
        values.money(cell, currency)
    assert remedy in str(refused.value)


@given(st.integers(min_value=0, max_value=10**14))
def test_every_amount_survives_its_usual_spelling(cents: int) -> None:
    dollars, rest = divmod(cents, 100)
    for spelling in (f"{dollars:,}.{rest:02}", f"${dollars}.{rest:02}", f"{dollars:,}.{rest:02} USD"):
        assert values.money(spelling, "USD") == str(cents)


def test_iso_dates_are_read_in_either_style_and_american_ones_on_request() -> None:
    assert values.day("2026-03-09", "iso", shift=NO_SHIFT) == "2026-03-09"
    assert values.day("2026-3-9", "us", shift=NO_SHIFT) == "2026-03-09"
    assert values.day("03/09/2026", "us", shift=NO_SHIFT) == "2026-03-09"
    assert values.day("3/9/2026", "us", shift=NO_SHIFT) == "2026-03-09"


@pytest.mark.parametrize(
    ("cell", "style", "remedy"),
    [
        ("03/09/2026", "iso", "--dates us"),
        ("13/01/2026", "us", "no such day"),
        ("2026-02-29", "iso", "no such day"),
        ("3/9/26", "us", "four digits"),
        ("1899-12-31", "iso", "1900 to 2199"),
        ("2200-01-01", "iso", "1900 to 2199"),
        ("soon", "iso", "YYYY-MM-DD"),
        ("46000", "us", "MM/DD/YYYY"),
    ],
)
def test_a_date_that_is_none_is_refused(cell: str, style: values.DateStyle, remedy: str) -> None:
    with pytest.raises(Unreadable) as refused:
        values.day(cell, style, shift=NO_SHIFT)
    assert remedy in str(refused.value)


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(-10_000, 10_000))
def test_dates_keep_their_distance_when_they_are_moved(day: date, days: int) -> None:
    moved = values.day(day.isoformat(), "iso", shift=timedelta(days=days))
    assert date.fromisoformat(moved) - day == timedelta(days=days)


def test_rooms_are_counted_in_tenths_and_a_studio_has_none() -> None:
    assert [values.tenths(cell) for cell in ("2", "2.0", "1.5", "Studio", "0")] == ["2", "2", "1.5", "0", "0"]
    for cell in ("1.25", "-1", "two", "NaN", "1000", "1e2", "1_0", "٢"):
        with pytest.raises(Unreadable):
            values.tenths(cell)


def test_coordinates_have_their_range() -> None:
    assert values.degrees("-122.2711", 180) == "-122.2711"
    assert values.degrees("90.000", 90) == "90"
    for cell in ("90.1", "-91", "north", "Infinity"):
        with pytest.raises(Unreadable):
            values.degrees(cell, 90)


def test_whole_numbers_take_thousands_separators_and_nothing_else() -> None:
    assert values.whole("1,050", 1, 9999) == "1050"
    for cell in ("0", "1.5", "10,000", "-3", "²"):
        with pytest.raises(Unreadable):
            values.whole(cell, 1, 9999)


def test_addresses_are_checked_and_reserved_ones_are_taken() -> None:
    assert values.email("ann@maple.test") == "ann@maple.test"
    for cell in ("ann", "ann@", "a@b.com; c@d.com", "ann@exa mple.com"):
        with pytest.raises(Unreadable):
            values.email(cell)


def test_time_zones_are_iana_names() -> None:
    assert values.timezone("America/Indiana/Indianapolis") == "America/Indiana/Indianapolis"
    for cell in ("EST", "Eastern", "UTC+2", "america/chicago"):
        with pytest.raises(Unreadable):
            values.timezone(cell)


def test_choices_have_synonyms_and_name_the_values_when_there_is_none() -> None:
    assert values.choice("Single Family Home", PROPERTY_TYPES) == "single_family"
    assert values.choice("CURRENT", LEASE_STATUSES) == "active"
    with pytest.raises(Unreadable, match=r"^Write one of: active, draft\.$"):
        values.choice("ended", LEASE_STATUSES)


def test_text_loses_its_line_breaks_and_is_not_cut() -> None:
    assert values.text(" 1 Elm\r\n Street ", longest=12) == "1 Elm Street"
    with pytest.raises(Unreadable, match="it has 13"):
        values.text("1 Elm Streets", longest=12)
