"""Cells to values, each as its text in what is staged. Every function raises Unreadable with the remedy."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from workers.imports.problem import Unreadable

DateStyle = Literal["iso", "us"]

# ISO 4217: currencies whose minor unit isn't a hundredth.
EXPONENTS = dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
SYMBOLS = {"€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY")}
NOT_DOLLARS = frozenset(code for codes in SYMBOLS.values() for code in codes)
MAX_DIGITS = 15  # the largest amount that every JSON reader keeps exactly

AMOUNT = re.compile(
    r"(?P<sign>[$€£¥])?(?P<code>[A-Z]{3})?\s*"
    r"(?P<units>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fraction>\d*))?\s*(?P<code_after>[A-Z]{3})?",
    re.ASCII,
)
ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
DECIMAL = re.compile(r"-?\d{1,4}(\.\d{1,15})?", re.ASCII)


def text(cell: str, *, longest: int) -> str:
    """Runs of white space, line breaks included, become one space."""
    value = " ".join(cell.split())
    if len(value) > longest:
        raise Unreadable(f"Shorten it to {longest} characters; it has {len(value)}.")
    return value


def money(cell: str, currency: str) -> str:
    """`1,250.00`, `$1,250` and `1250` are 125000 in USD: minor units by the currency, never a float."""
    match = AMOUNT.fullmatch(cell.strip())
    if match is None:
        raise Unreadable("Write an amount such as 1,250.00 or 1250: a point before the cents, not negative.")
    for code in (match["code"], match["code_after"]):
        if code not in (None, currency):
            raise Unreadable(f"This amount is read as {currency}; name another in the column currency.")
    sign = match["sign"]
    if (sign and currency not in SYMBOLS.get(sign, (currency,))) or (sign == "$" and currency in NOT_DOLLARS):
        raise Unreadable(f"{sign} isn't {currency}; name the currency in the column currency.")
    exponent = EXPONENTS.get(currency, 2)
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > exponent:
        raise Unreadable(f"Amounts in {currency} have at most {exponent} digits after the point.")
    minor = (match["units"].replace(",", "") + fraction.ljust(exponent, "0")).lstrip("0") or "0"
    if len(minor) > MAX_DIGITS:
        raise Unreadable("This amount is too large to be a rent.")
    return minor


def day(cell: str, style: DateStyle, *, shift: timedelta) -> str:
    """A date, moved by `shift`. ISO dates are read in either style: they can't be mistaken."""
    if match := ISO_DATE.fullmatch(cell):
        year, month, of_month = match.groups()
    elif style == "us" and (match := US_DATE.fullmatch(cell)):
        month, of_month, year = match.groups()
    elif "/" in cell and style == "iso":
        raise Unreadable("Write YYYY-MM-DD, or read all dates as month/day/year with --dates us.")
    else:
        raise Unreadable(
            f"Write {'YYYY-MM-DD' if style == 'iso' else 'MM/DD/YYYY'}, the year with four digits."
        )
    try:
        moved = date(int(year), int(month), int(of_month)) + shift
    except (ValueError, OverflowError):
        raise Unreadable("There is no such day.") from None
    if not 1900 <= moved.year <= 2199:
        raise Unreadable("Give a day of the years 1900 to 2199.")
    return moved.isoformat()


def whole(cell: str, lowest: int, highest: int) -> str:
    digits = cell.replace(",", "")
    if not (digits.isascii() and digits.isdigit()) or not lowest <= int(digits) <= highest:
        raise Unreadable(f"Write a whole number between {lowest} and {highest:,}.")
    return str(int(digits))


def tenths(cell: str) -> str:
    """Rooms: `2`, `1.5`; a studio has none."""
    if cell.casefold() == "studio":
        return "0"
    return _decimal(cell, 0, 999, places=1, remedy="Write a number such as 2 or 1.5; studio is 0.")


def degrees(cell: str, limit: int) -> str:
    return _decimal(cell, -limit, limit, places=15, remedy=f"Write degrees between -{limit} and {limit}.")


def email(cell: str) -> str:
    try:
        validate_email(cell, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Unreadable("Write one address such as name@example.com.") from None
    return cell


def phone(cell: str) -> str:
    value = text(cell, longest=40)
    if len(value) < 3:
        raise Unreadable("Write a number of at least 3 characters, or leave the cell empty.")
    return value


def timezone(cell: str) -> str:
    if cell not in _timezones() or not (cell == "UTC" or "/" in cell):
        raise Unreadable("Write an IANA name, such as America/Chicago.")
    return cell


def code(cell: str, letters: int, example: str) -> str:
    value = cell.upper()
    if not (len(value) == letters and value.isascii() and value.isalpha()):
        raise Unreadable(f"Write the ISO code of {letters} letters, such as {example}.")
    return value


def choice(cell: str, meanings: dict[str, str]) -> str:
    """One of the values of `meanings`, by its name or a synonym."""
    key = cell.casefold().replace("-", "_").replace(" ", "_")
    if key not in meanings:
        raise Unreadable(f"Write one of: {', '.join(dict.fromkeys(meanings.values()))}.")
    return meanings[key]


@cache
def _timezones() -> set[str]:
    return available_timezones()


def _decimal(cell: str, lowest: int, highest: int, *, places: int, remedy: str) -> str:
    if not DECIMAL.fullmatch(cell):
        raise Unreadable(remedy)
    value = Decimal(cell)
    if not lowest <= value <= highest or value != round(value, places):
        raise Unreadable(remedy)
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
