"""The columns of a rent roll: their names, what else people call them, and how a cell becomes a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from workers.imports import values
from workers.imports.values import DateStyle

PROPERTY_TYPES = {
    "single_family": "single_family",
    "house": "single_family",
    "single_family_home": "single_family",
    "multi_family": "multi_family",
    "multifamily": "multi_family",
    "duplex": "multi_family",
    "apartment": "apartment",
    "apartments": "apartment",
    "condo": "condo",
    "condominium": "condo",
    "townhouse": "townhouse",
    "townhome": "townhouse",
    "manufactured": "manufactured",
    "mobile_home": "manufactured",
    "commercial": "commercial",
    "other": "other",
}
LEASE_STATUSES = {"active": "active", "current": "active", "draft": "draft", "pending": "draft"}
COUNTRIES = {"USA": "US", "UNITED STATES": "US", "UNITED STATES OF AMERICA": "US"}


@dataclass(frozen=True)
class Reading:
    """How this file is read: its dates' style and shift, and the currency of the row."""

    dates: DateStyle
    shift: timedelta
    currency: str


@dataclass(frozen=True)
class Column:
    """`name` is the documented header, `key` the name of what is sent, `read` makes that of a cell."""

    name: str
    read: Callable[[str, Reading], str]
    aliases: tuple[str, ...] = ()
    staged: str = ""

    @property
    def key(self) -> str:
        return self.staged or self.name


def _text(name: str, longest: int, *aliases: str) -> Column:
    return Column(name, lambda cell, _: values.text(cell, longest=longest), aliases)


def _money(name: str, *aliases: str) -> Column:
    return Column(name, lambda cell, how: values.money(cell, how.currency), aliases, staged=f"{name}_minor")


def _day(name: str, *aliases: str) -> Column:
    return Column(name, lambda cell, how: values.day(cell, how.dates, shift=how.shift), aliases)


def _whole(name: str, lowest: int, highest: int, *aliases: str) -> Column:
    return Column(name, lambda cell, _: values.whole(cell, lowest, highest), aliases)


def _state(cell: str, _: Reading) -> str:
    value = values.text(cell, longest=60)
    return value.upper() if len(value) == 2 else value


def _country(cell: str, _: Reading) -> str:
    return values.code(COUNTRIES.get(cell.upper(), cell), 2, "US")


def _person(prefix: str) -> list[Column]:
    short = prefix.replace("tenant", "renter")
    return [
        _text(f"{prefix}_first_name", 120, f"{short}_first_name", *_if_lead(prefix, "first_name")),
        _text(f"{prefix}_last_name", 120, f"{short}_last_name", *_if_lead(prefix, "last_name")),
        Column(
            f"{prefix}_email",
            lambda cell, _: values.email(cell),
            (f"{short}_email", *_if_lead(prefix, "email")),
        ),
        Column(
            f"{prefix}_phone",
            lambda cell, _: values.phone(cell),
            (f"{short}_phone", *_if_lead(prefix, "phone")),
        ),
    ]


def _if_lead(prefix: str, name: str) -> tuple[str, ...]:
    return (name,) if prefix == "tenant" else ()


PEOPLE = ("tenant", "co_tenant", "co_tenant_2", "co_tenant_3", "co_tenant_4")

COLUMNS: tuple[Column, ...] = (
    _text("property_name", 120, "property", "building", "community"),
    Column("property_type", lambda cell, _: values.choice(cell, PROPERTY_TYPES), ("type",)),
    _text("address_line1", 200, "address", "street", "street_address", "address_1", "address1"),
    _text("address_line2", 200, "address_2", "address2"),
    _text("city", 120, "town"),
    Column("state", _state, ("province", "region")),
    _text("postal_code", 20, "zip", "zip_code", "postcode"),
    Column("country", _country),
    Column("timezone", lambda cell, _: values.timezone(cell), ("time_zone",)),
    Column("currency", lambda cell, _: values.code(cell, 3, "USD")),
    Column("latitude", lambda cell, _: values.degrees(cell, 90), ("lat",)),
    Column("longitude", lambda cell, _: values.degrees(cell, 180), ("lng", "lon")),
    Column("manager_email", lambda cell, _: values.email(cell), ("manager", "property_manager")),
    _text("unit_number", 40, "unit", "unit_no", "apt", "apartment", "suite"),
    Column("bedrooms", lambda cell, _: values.tenths(cell), ("beds", "bed", "br")),
    Column("bathrooms", lambda cell, _: values.tenths(cell), ("baths", "bath", "ba")),
    _whole("area_sqft", 1, 999_999_999, "sqft", "sq_ft", "square_feet", "area"),
    _money("market_rent", "asking_rent"),
    *(column for prefix in PEOPLE for column in _person(prefix)),
    _text("lease_number", 60, "lease", "lease_no", "lease_id"),
    _day("lease_start", "lease_from", "start_date", "move_in"),
    _day("lease_end", "lease_to", "end_date", "lease_expires", "expiration"),
    _whole("notice_days", 0, 400, "notice", "notice_period"),
    _money("rent", "monthly_rent", "rent_amount"),
    _whole("due_day", 1, 31, "rent_due_day"),
    _money("deposit", "security_deposit"),
    Column("lease_status", lambda cell, _: values.choice(cell, LEASE_STATUSES), ("status",)),
)
BY_KEY = {column.key: column for column in COLUMNS}


def normalized(header: str) -> str:
    """`Unit #`, `unit-number` and ` UNIT  NUMBER ` without case, and with one underscore between words."""
    words = re.sub(r"[^0-9a-z]+", "_", header.casefold().replace("#", " number ").replace("e-mail", "email"))
    return words.strip("_")


_BY_HEADER = {
    spelling: column for column in COLUMNS for spelling in (column.name, *column.aliases)
} | {  # the first co-tenant, counted
    f"co_tenant_1_{part}": column
    for column in COLUMNS
    for part in ("first_name", "last_name", "email", "phone")
    if column.name == f"co_tenant_{part}"
}


def known(header: str) -> Column | None:
    """The column that the header means; None: it is not read."""
    return _BY_HEADER.get(normalized(header))
