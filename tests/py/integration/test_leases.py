"""How a lease begins and ends: what binds stays, and no unit is held twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.integration.landlord import TODAY, Landlord, call, refusal, rpc
from tests.py.support import User

Connect = Callable[[User | str | None], httpx.Client]
Db = psycopg.Connection[Any]


def days(count: int) -> str:
    return str(TODAY + timedelta(days=count))


def possession(landlord: Landlord, lease_id: str) -> list[dict[str, Any]]:
    return list(
        landlord.api.get(
            "/rest/v1/lease_units",
            params={
                "lease_id": f"eq.{lease_id}",
                "select": "possession,binding,superseded_at",
                "order": "recorded_at",
            },
        ).json()
    )


def test_an_activated_lease_holds_its_unit_for_its_term(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1", starts_on=TODAY - timedelta(days=10), ends_on=TODAY + timedelta(days=20))
    assert rpc(landlord.api, "activate_lease", lease_id=lease_id)["status"] == "active"
    assert possession(landlord, lease_id) == [
        {"possession": f"[{days(-10)},{days(21)})", "binding": True, "superseded_at": None}
    ]
    history = landlord.api.get("/rest/v1/lease_status_changes?order=recorded_at").json()
    assert [(change["from_status"], change["to_status"]) for change in history] == [
        (None, "draft"),
        ("draft", "active"),
    ]
    assert {change["changed_by"] for change in history} == {landlord.owner.id}


def test_a_lease_that_overlaps_is_refused_with_the_number_of_the_other(landlord: Landlord) -> None:
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-1", ends_on=TODAY))
    second = landlord.draft("L-2", starts_on=TODAY)
    refused = call(landlord.api, "activate_lease", lease_id=second)
    assert refusal(refused) == (409, "possession_overlap")
    assert "Lease L-1 holds unit 1" in refused.json()["message"]
    assert possession(landlord, second)[0]["binding"] is False


def test_one_may_move_in_the_day_after_another_moved_out(landlord: Landlord) -> None:
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-1", ends_on=TODAY))
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-2", starts_on=TODAY + timedelta(days=1)))


def test_a_lease_without_an_end_holds_its_unit_until_it_is_ended(landlord: Landlord) -> None:
    open_ended = landlord.draft("L-1", ends_on=None)
    rpc(landlord.api, "activate_lease", lease_id=open_ended)
    later = landlord.draft("L-2", starts_on=TODAY + timedelta(days=3000), ends_on=None)
    assert refusal(call(landlord.api, "activate_lease", lease_id=later)) == (409, "possession_overlap")
    rpc(landlord.api, "end_lease", lease_id=open_ended, ended_on=days(-1))
    rpc(landlord.api, "activate_lease", lease_id=later)


def test_a_lease_of_the_whole_property_conflicts_with_one_of_a_unit(landlord: Landlord) -> None:
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-1", units=(1,)))
    whole = landlord.draft("L-2", units=(0, 1))
    assert refusal(call(landlord.api, "activate_lease", lease_id=whole)) == (409, "possession_overlap")
    assert [row["binding"] for row in possession(landlord, whole)] == [False, False]


def test_of_many_activations_at_once_one_wins_and_none_deadlocks(landlord: Landlord) -> None:
    drafts = [landlord.draft(f"L-{n}", units=(0, 1) if n % 2 else (1, 0)) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda lease: call(landlord.api, "activate_lease", lease_id=lease), drafts))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert {refusal(a) for a in answers if a.status_code == 409} == {(409, "possession_overlap")}


def test_a_lease_is_activated_once_whoever_asks_at_once(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call(landlord.api, "activate_lease", lease_id=lease_id), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {refusal(a) for a in answers if a.status_code == 409} == {(409, "lease_not_draft")}


@pytest.mark.parametrize("lacking", ["lease_units", "lease_tenants", "lease_terms"])
def test_a_draft_that_lacks_something_is_refused_and_told_what(landlord: Landlord, lacking: str) -> None:
    lease_id = landlord.draft("L-1")
    assert landlord.api.delete(f"/rest/v1/{lacking}?lease_id=eq.{lease_id}").status_code == 204
    refused = call(landlord.api, "activate_lease", lease_id=lease_id)
    assert refusal(refused) == (422, "lease_incomplete")
    assert lacking in refused.json()["hint"]


def test_what_has_begun_is_fixed(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    one = {"id": f"eq.{lease_id}"}
    of_it = {"lease_id": f"eq.{lease_id}"}
    api = landlord.api
    assert refusal(api.patch("/rest/v1/leases", params=one, json={"ends_on": days(9)})) == (
        409,
        "lease_not_draft",
    )
    assert refusal(api.patch("/rest/v1/leases", params=one, json={"deposit_minor": 1})) == (
        409,
        "lease_not_draft",
    )
    assert refusal(api.delete("/rest/v1/leases", params=one)) == (409, "lease_has_begun")
    assert refusal(api.delete("/rest/v1/lease_units", params=of_it)) == (409, "lease_has_begun")
    assert refusal(api.delete("/rest/v1/lease_terms", params=of_it)) == (409, "lease_has_begun")
    assert refusal(api.delete("/rest/v1/units", params={"id": f"eq.{landlord.unit_ids[0]}"})) == (
        409,
        "lease_has_begun",
    )
    assert refusal(api.delete("/rest/v1/properties", params={"id": f"eq.{landlord.property_id}"})) == (
        409,
        "lease_has_begun",
    )
    extra = api.post(
        "/rest/v1/lease_units",
        json={
            "workspace_id": landlord.workspace_id,
            "property_id": landlord.property_id,
            "lease_id": lease_id,
            "unit_id": landlord.unit_ids[1],
        },
    )
    assert refusal(extra) == (409, "lease_not_draft")
    assert api.patch("/rest/v1/leases", params=one, json={"status": "ended"}).status_code == 403
    assert api.patch("/rest/v1/leases", params=one, json={"lease_number": "L-1a"}).status_code == 204


def test_a_property_takes_its_units_and_drafts_with_it(landlord: Landlord) -> None:
    landlord.draft("D-1")
    deleted = landlord.api.delete("/rest/v1/properties", params={"id": f"eq.{landlord.property_id}"})
    assert deleted.status_code == 204
    assert landlord.api.get("/rest/v1/units").json() == landlord.api.get("/rest/v1/leases").json() == []


def test_a_change_of_rent_supersedes_the_row_for_the_same_day(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    landlord.add("lease_terms", lease_id=lease_id, effective_on=days(30), rent_minor=130_000)
    landlord.add("lease_terms", lease_id=lease_id, effective_on=days(30), rent_minor=131_000)
    rows = landlord.api.get("/rest/v1/lease_terms?order=recorded_at").json()
    assert [(row["rent_minor"], row["superseded_at"] is None) for row in rows] == [
        (125_000, True),
        (130_000, False),
        (131_000, True),
    ]


def test_moving_out_early_frees_the_unit_and_keeps_what_was_recorded(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1", starts_on=TODAY - timedelta(days=50), ends_on=TODAY + timedelta(days=50))
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    ended = rpc(landlord.api, "end_lease", lease_id=lease_id, ended_on=days(-5))
    assert (ended["status"], ended["ended_on"]) == ("ended", days(-5))
    before, after = possession(landlord, lease_id)
    assert before["possession"] == f"[{days(-50)},{days(51)})" and before["superseded_at"]
    assert after == {"possession": f"[{days(-50)},{days(-4)})", "binding": True, "superseded_at": None}
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-2", starts_on=TODAY - timedelta(days=4)))


def test_staying_beyond_the_term_into_the_next_lease_is_refused(landlord: Landlord) -> None:
    first = landlord.draft("L-1", ends_on=TODAY - timedelta(days=10))
    second = landlord.draft("L-2", starts_on=TODAY - timedelta(days=9))
    # Recorded the wrong way round: the other way the second would wait for the first to move out.
    rpc(landlord.api, "activate_lease", lease_id=second)
    rpc(landlord.api, "activate_lease", lease_id=first)
    late = call(landlord.api, "end_lease", lease_id=first, ended_on=days(-3))
    assert refusal(late) == (409, "possession_overlap")
    assert "L-2" in late.json()["message"]
    assert possession(landlord, first)[0]["superseded_at"] is None
    rpc(landlord.api, "end_lease", lease_id=first, ended_on=days(-10))


@pytest.mark.parametrize("ended_on", [None, days(-101), days(2)])
def test_a_lease_ends_between_its_first_day_and_today(landlord: Landlord, ended_on: str | None) -> None:
    lease_id = landlord.draft("L-1")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    refused = call(landlord.api, "end_lease", lease_id=lease_id, ended_on=ended_on)
    assert refusal(refused) == (422, "end_out_of_range")


def test_a_draft_cannot_be_ended_nor_a_lease_twice(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    assert refusal(call(landlord.api, "end_lease", lease_id=lease_id, ended_on=days(0))) == (
        409,
        "lease_not_active",
    )
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    rpc(landlord.api, "end_lease", lease_id=lease_id, ended_on=days(-1))
    assert refusal(call(landlord.api, "end_lease", lease_id=lease_id, ended_on=days(-1))) == (
        409,
        "lease_not_active",
    )


def test_a_strangers_lease_and_none_at_all_answer_alike(
    landlord: Landlord, new_user: Callable[[], User], api: Connect
) -> None:
    stranger = api(new_user())
    foreign = call(stranger, "activate_lease", lease_id=landlord.draft("L-1"))
    nowhere = call(stranger, "activate_lease", lease_id="00000000-0000-0000-0000-00000000dead")
    assert refusal(foreign) == (404, "lease_not_found")
    assert foreign.json() == nowhere.json()


def test_an_accountant_reads_leases_and_begins_none(
    landlord: Landlord, new_user: Callable[[], User], api: Connect, stack_db: Db
) -> None:
    lease_id = landlord.draft("L-1")
    accountant = new_user()
    landlord.employ(stack_db, accountant, "accountant")
    desk = api(accountant)
    assert refusal(call(desk, "activate_lease", lease_id=lease_id)) == (403, "permission_denied")
    assert desk.get("/rest/v1/leases").json()[0]["status"] == "draft"


def test_renters_are_embedded_in_leases(landlord: Landlord) -> None:
    landlord.draft("L-1")
    rows = landlord.api.get(
        "/rest/v1/leases?select=lease_number,tenants(last_name),lease_units(units(unit_number))"
    )
    assert rows.json() == [
        {
            "lease_number": "L-1",
            "tenants": [{"last_name": "Renter"}],
            "lease_units": [{"units": {"unit_number": "1"}}],
        }
    ]


def test_a_renter_on_a_lease_stays_on_record(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    renter = {"id": f"eq.{landlord.tenant_id}"}
    assert refusal(landlord.api.delete("/rest/v1/tenants", params=renter)) == (409, "tenant_on_lease")
    assert landlord.api.delete(f"/rest/v1/leases?id=eq.{lease_id}").status_code == 204
    assert landlord.api.delete("/rest/v1/tenants", params=renter).status_code == 204


def test_the_parties_of_a_begun_lease_are_fixed_and_its_occupants_are_not(landlord: Landlord) -> None:
    lease_id = landlord.draft("L-1")
    child = landlord.add("tenants", last_name="Renter", first_name="Ray")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    landlord.add("lease_tenants", lease_id=lease_id, tenant_id=child, role="occupant")
    party = f"/rest/v1/lease_tenants?lease_id=eq.{lease_id}&tenant_id=eq.{landlord.tenant_id}"
    occupant = f"/rest/v1/lease_tenants?lease_id=eq.{lease_id}&tenant_id=eq.{child}"
    assert refusal(landlord.api.delete(party)) == (409, "lease_not_draft")
    assert refusal(landlord.api.patch(party, json={"role": "co_tenant"})) == (409, "lease_not_draft")
    assert landlord.api.patch(party, json={"share": 50}).status_code == 204
    assert refusal(landlord.api.patch(occupant, json={"role": "co_tenant"})) == (409, "lease_not_draft")
    assert landlord.api.delete(occupant).status_code == 204
