"""Google's documents in our words. What isn't as it should be counts as absent, and nothing fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.places.provider import (
    LONGEST,
    Address,
    Checked,
    Match,
    Place,
    Status,
    Suggestion,
    changes,
)
from workers.places.written import street_line

# Places that are a building, or part of one.
PREMISES = frozenset({"street_address", "premise", "subpremise"})
CITY = (
    "locality",
    "postal_town",
    "sublocality_level_1",
    "sublocality",
    "administrative_area_level_3",
    "administrative_area_level_2",
)


def suggestions_of(document: Mapping[str, Any]) -> Sequence[Suggestion]:
    """An empty document is Google's way to say that nothing fits."""
    found = []
    for each in _list(document, "suggestions"):
        prediction = _dict(each, "placePrediction")
        place_id, text = _text(prediction, "placeId"), _text(_dict(prediction, "text"), "text")
        if not place_id or not text:
            continue
        structured = _dict(prediction, "structuredFormat")
        found.append(
            Suggestion(
                place_id=place_id,
                text=text,
                matches=_matches(_dict(prediction, "text"), len(text)),
                main_text=_text(_dict(structured, "mainText"), "text") or text,
                secondary_text=_text(_dict(structured, "secondaryText"), "text"),
            )
        )
    return found


def place_of(document: Mapping[str, Any], asked_id: str) -> Place:
    components = _components(document)
    exact = not PREMISES.isdisjoint(_texts(document, "types")) and "street_number" in components
    return Place(
        place_id=id_of(document) or asked_id,
        address=_address(document, components),
        formatted_address=_text(document, "formattedAddress") or "",
        position=_position(_dict(document, "location")),
        address_status="verified" if exact else "unverified",
    )


def id_of(document: Mapping[str, Any]) -> str | None:
    return _text(document, "id")


def moved_id_of(document: Mapping[str, Any]) -> str | None:
    """The place that a place has become by moving."""
    return _text(document, "movedPlaceId")


def check_of(document: Mapping[str, Any], typed: Address) -> Checked:
    """The verdict as three words: what Google is sure of, what it had to change, and all else."""
    result = _dict(document, "result")
    verdict, geocode = _dict(result, "verdict"), _dict(result, "geocode")
    sure = (
        bool(verdict.get("addressComplete"))
        and not verdict.get("hasUnconfirmedComponents")
        and verdict.get("validationGranularity") in ("PREMISE", "SUB_PREMISE")
    )
    if not sure:
        return Checked("unverified", typed)
    better = _postal(_dict(_dict(result, "address"), "postalAddress"), typed)
    flags = ("hasInferredComponents", "hasReplacedComponents", "hasSpellCorrectedComponents")
    status: Status = "corrected" if any(verdict.get(flag) for flag in flags) else "verified"
    if status == "corrected" and not changes(typed, better):
        status = "verified"
    return Checked(status, better, _position(_dict(geocode, "location")), _text(geocode, "placeId"))


def reason_of(document: Any) -> str:
    """The machine-readable cause: a detail's reason such as API_KEY_INVALID, else the status."""
    error = _dict(document, "error")
    reasons = [reason for detail in _list(error, "details") if (reason := _text(detail, "reason"))]
    return reasons[0] if reasons else _text(error, "status") or ""


def _address(document: Mapping[str, Any], components: Mapping[str, Mapping[str, Any]]) -> Address:
    def long(*kinds: str) -> str | None:
        return next((_text(components[kind], "longText") for kind in kinds if kind in components), None)

    def short(kind: str) -> str | None:
        return _text(components[kind], "shortText") if kind in components else None

    postal = _dict(document, "postalAddress")
    country = short("country") or _text(postal, "regionCode")
    lines = _texts(postal, "addressLines")
    number, street = long("street_number"), long("route")
    if street and number:
        line1 = street_line(number, street, country)
    else:
        line1 = lines[0] if lines else street or long("premise")
    unit = long("subpremise")
    return Address(
        address_line1=_cut(line1, "address_line1"),
        address_line2=_cut(f"#{unit}" if unit and unit.isdigit() else unit, "address_line2"),
        city=_cut(long(*CITY) or _text(postal, "locality"), "city"),
        state=_cut(short("administrative_area_level_1") or _text(postal, "administrativeArea"), "state"),
        postal_code=_cut(long("postal_code") or _text(postal, "postalCode"), "postal_code"),
        country=_country(country),
    )


def _postal(postal: Mapping[str, Any], typed: Address) -> Address:
    """An address as Address Validation formats it; where it leaves something out, what was typed stays."""
    lines = _texts(postal, "addressLines")
    return Address(
        address_line1=_cut(lines[0], "address_line1") if lines else typed.address_line1,
        address_line2=_cut(", ".join(lines[1:]), "address_line2")
        or (typed.address_line2 if not lines else None),
        city=_cut(_text(postal, "locality"), "city") or typed.city,
        state=_cut(_text(postal, "administrativeArea"), "state") or typed.state,
        postal_code=_postal_code(_cut(_text(postal, "postalCode"), "postal_code"), typed.postal_code),
        country=_country(_text(postal, "regionCode")) or typed.country,
    )


def _components(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The components by type; of two with one type the first."""
    found: dict[str, Mapping[str, Any]] = {}
    for component in _list(document, "addressComponents"):
        for kind in _texts(component, "types"):
            found.setdefault(kind, component)
    return found


def _position(location: Mapping[str, Any]) -> tuple[float, float] | None:
    """A coordinate of exactly 0 is left out, too; a location without both, or beyond the globe, is none."""
    latitude, longitude = location.get("latitude", 0), location.get("longitude", 0)
    if not location or not _within(latitude, 90) or not _within(longitude, 180):
        return None
    return float(latitude), float(longitude)


def _within(degrees: Any, most: int) -> bool:
    return isinstance(degrees, int | float) and not isinstance(degrees, bool) and -most <= degrees <= most


def _matches(text: Mapping[str, Any], length: int) -> list[Match]:
    """Those that lie within the text."""
    offsets = [(each.get("startOffset", 0), each.get("endOffset", 0)) for each in _list(text, "matches")]
    return [
        Match(start, end)
        for start, end in offsets
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length
    ]


def _country(code: str | None) -> str | None:
    return code if code and len(code) == 2 and code.isascii() and code.isalpha() and code.isupper() else None


def _postal_code(told: str | None, typed: str | None) -> str | None:
    """Google adds four digits to a ZIP code that is right without them; that corrects nothing."""
    return typed if not told or (typed and told.startswith(f"{typed}-")) else told


def _cut(text: str | None, column: str) -> str | None:
    """What the column holds."""
    return text[: LONGEST[column]] or None if text else None


def _dict(of: Any, name: str) -> Mapping[str, Any]:
    value = of.get(name) if isinstance(of, dict) else None
    return value if isinstance(value, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str | None:
    value = of.get(name)
    return value if isinstance(value, str) else None


def _texts(of: Mapping[str, Any], name: str) -> list[str]:
    value = of.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _list(of: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = of.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
