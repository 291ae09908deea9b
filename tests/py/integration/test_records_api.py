"""Inspections, expenses and documents over HTTP: from template to signature, and what embeds in what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from tests.py.integration.landlord import Landlord, call, refusal, rows, rpc
from tests.py.support import User

Connect = Callable[[User | str | None], httpx.Client]


def patch(api: httpx.Client, path: str, **changed: Any) -> None:
    answer = api.patch(f"/rest/v1/{path}", json=changed)
    assert answer.status_code == 204, answer.text


def test_an_inspection_from_its_template_to_the_renter_s_signature(
    landlord: Landlord, stack_db: psycopg.Connection[Any], new_user: Callable[..., User], api: Connect
) -> None:
    lease_id = landlord.draft("BEGUN")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    person = new_user()
    stack_db.execute("update public.tenants set user_id = %s where id = %s", (person.id, landlord.tenant_id))
    renter = api(person)

    template = landlord.add("inspection_templates", name="Move-in", inspection_type="move_in")
    landlord.add("inspection_template_items", template_id=template, room="Kitchen", item="Oven")
    inspection = rpc(
        landlord.api,
        "start_inspection",
        template_id=template,
        property_id=landlord.property_id,
        unit_id=landlord.unit_ids[0],
        lease_id=lease_id,
    )
    assert (inspection["status"], inspection["title"]) == ("draft", "Move-in")
    this = f"inspection_id=eq.{inspection['id']}"
    (item,) = rows(landlord.api, f"inspection_items?{this}")
    incomplete = call(landlord.api, "complete_inspection", inspection_id=inspection["id"])
    assert refusal(incomplete) == (422, "inspection_incomplete")
    patch(landlord.api, f"inspection_items?id=eq.{item['id']}", condition="good")
    photo = landlord.add(
        "documents",
        title="Oven",
        document_type="photo",
        inspection_id=inspection["id"],
        inspection_item_id=item["id"],
        visible_to_renters=True,
    )
    patch(
        landlord.api,
        f"documents?id=eq.{photo}",
        status="available",
        content_type="image/jpeg",
        size_bytes=3,
        sha256=hashlib.sha256(b"jpg").hexdigest(),
    )
    completed = rpc(landlord.api, "complete_inspection", inspection_id=inspection["id"])
    late = landlord.api.patch(f"/rest/v1/inspection_items?id=eq.{item['id']}", json={"condition": "poor"})
    assert refusal(late) == (409, "inspection_completed")

    read = (
        "select=title,content_digest,inspection_items(room,documents(title)),"
        "inspection_signatures(signer_name)"
    )
    (seen,) = rows(renter, f"inspections?{read}")
    assert seen["inspection_items"] == [{"room": "Kitchen", "documents": [{"title": "Oven"}]}]
    said = renter.get(f"/rest/v1/rpc/inspection_content?{this.replace('=eq.', '=')}").json()
    assert hashlib.sha256(said.encode()).hexdigest() == seen["content_digest"] == completed["content_digest"]
    signed = {
        "inspection_id": inspection["id"],
        "signed_as": "renter",
        "signer_name": "Rae Renter",
        "content_digest": seen["content_digest"],
    }
    assert rpc(renter, "sign_inspection", **signed)["tenant_id"] == landlord.tenant_id
    assert refusal(call(renter, "sign_inspection", **signed)) == (409, "inspection_signed")
    (seen,) = rows(landlord.api, f"inspections?{read}")
    assert seen["inspection_signatures"] == [{"signer_name": "Rae Renter"}]


def test_each_link_embeds_without_a_hint(landlord: Landlord) -> None:
    """One key joins each pair of tables: PostgREST answers 300 where two do."""
    vendor = landlord.add("vendors", name="Pipes")
    request = landlord.add("maintenance_requests", property_id=landlord.property_id, title="Leak")
    spent = rpc(
        landlord.api,
        "record_expense",
        property_id=landlord.property_id,
        unit_id=landlord.unit_ids[0],
        category="repairs",
        amount_minor=12_500,
        incurred_on="2026-01-15",
        vendor_id=vendor,
        maintenance_request_id=request,
    )
    landlord.add("documents", title="Receipt", expense_id=spent["id"], vendor_id=vendor)
    read = (
        "expenses?select=amount_minor,currency,properties(name),units(unit_number),vendors(name),leases(id),"
        "tenants(id),maintenance_requests(title),documents(title)"
    )
    assert rows(landlord.api, read) == [
        {
            "amount_minor": 12_500,
            "currency": "USD",
            "properties": {"name": "1 Elm"},
            "units": {"unit_number": "1"},
            "vendors": {"name": "Pipes"},
            "leases": None,
            "tenants": None,
            "maintenance_requests": {"title": "Leak"},
            "documents": [{"title": "Receipt"}],
        }
    ]
    for path in (
        "documents?select=properties(id),units(id),tenants(id),leases(id),vendors(name),inspections(id),"
        "inspection_items(id),expenses(category),maintenance_requests(id)",
        "inspections?select=properties(id),units(id),leases(id),inspection_items(id),documents(id),"
        "inspection_signatures(id,tenants(id))",
        "properties?select=expenses(amount_minor),inspections(id),documents(id)",
        "inspection_templates?select=inspection_template_items(id)",
    ):
        rows(landlord.api, path)
