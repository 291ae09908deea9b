"""Google's documents in our words. Nothing here fails on what a document lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.places.provider import Address, Checked, Match, Place, Status, Suggestion, changes
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
        place_id, text = prediction.get("placeId"), _dict(prediction, "text")
        if not isinstance(place_id, str) or not isinstance(text.get("text"), str):
            continue
        structured = _dict(prediction, "structuredFormat")
        found.append(
            Suggestion(
                place_id=place_id,
                text=text["text"],
                matches=[
                    Match(match.get("startOffset", 0), match.get("endOffset", 0))
                    for match in _list(text, "matches")
                ],
                main_text=_dict(structured, "mainText").get("text") or text["text"],
                secondary_text=_dict(structured, "secondaryText").get("text"),
            )
        )
    return found


def place_of(document: Mapping[str, Any], asked_id: str) -> Place:
    components = _components(document)
    types = set(document.get("types") or ())
    exact = bool(types & PREMISES) and "street_number" in components
    return Place(
        place_id=str(document.get("id") or asked_id),
        address=_address(document, components),
        formatted_address=str(document.get("formattedAddress") or ""),
        position=_position(_dict(document, "location")),
        address_status="verified" if exact else "unverified",
    )


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
    place_id = geocode.get("placeId")
    return Checked(
        status, better, _position(_dict(geocode, "location")), place_id if isinstance(place_id, str) else None
    )


def reason_of(document: Any) -> str:
    """The machine-readable cause: a detail's reason such as API_KEY_INVALID, else the status."""
    error = _dict(document, "error")
    for detail in _list(error, "details"):
        if isinstance(detail.get("reason"), str):
            return str(detail["reason"])
    return str(error.get("status") or "")


def _address(document: Mapping[str, Any], components: Mapping[str, Mapping[str, Any]]) -> Address:
    def long(*kinds: str) -> str | None:
        return next((components[kind].get("longText") for kind in kinds if kind in components), None)

    def short(kind: str) -> str | None:
        return components[kind].get("shortText") if kind in components else None

    postal = _dict(document, "postalAddress")
    country = short("country") or postal.get("regionCode")
    lines = [line for line in postal.get("addressLines") or () if isinstance(line, str)]
    number, street = long("street_number"), long("route")
    if street and number:
        line1 = street_line(number, street, country)
    else:
        line1 = lines[0] if lines else street or long("premise")
    unit = long("subpremise")
    return Address(
        address_line1=_cut(line1, 200),
        address_line2=_cut(f"#{unit}" if unit and unit.isdigit() else unit, 200),
        city=_cut(long(*CITY) or postal.get("locality"), 120),
        state=_cut(short("administrative_area_level_1") or postal.get("administrativeArea"), 60),
        postal_code=_cut(long("postal_code") or postal.get("postalCode"), 20),
        country=country,
    )


def _postal(postal: Mapping[str, Any], typed: Address) -> Address:
    """An address as Address Validation formats it; where it leaves something out, what was typed stays."""
    lines = [line for line in postal.get("addressLines") or () if isinstance(line, str)]
    return Address(
        address_line1=lines[0] if lines else typed.address_line1,
        address_line2=", ".join(lines[1:]) or (typed.address_line2 if not lines else None),
        city=postal.get("locality") or typed.city,
        state=postal.get("administrativeArea") or typed.state,
        postal_code=_postal_code(postal.get("postalCode"), typed.postal_code),
        country=postal.get("regionCode") or typed.country,
    )


def _components(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The components by type; of two with one type the first."""
    found: dict[str, Mapping[str, Any]] = {}
    for component in _list(document, "addressComponents"):
        for kind in component.get("types") or ():
            found.setdefault(kind, component)
    return found


def _position(location: Mapping[str, Any]) -> tuple[float, float] | None:
    """A coordinate of exactly 0 is left out, too; a location without both is none."""
    if not location:
        return None
    latitude, longitude = location.get("latitude", 0), location.get("longitude", 0)
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return float(latitude), float(longitude)


def _postal_code(told: Any, typed: str | None) -> str | None:
    """Google adds four digits to a ZIP code that is right without them; that corrects nothing."""
    return typed if not told or (typed and str(told).startswith(f"{typed}-")) else str(told)


def _cut(text: str | None, length: int) -> str | None:
    """What the column holds."""
    return text[:length] or None if text else None


def _dict(of: Any, name: str) -> Mapping[str, Any]:
    value = of.get(name) if isinstance(of, dict) else None
    return value if isinstance(value, dict) else {}


def _list(of: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = of.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
