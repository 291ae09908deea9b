"""Odd arguments to every public RPC: whatever a client sends, the answer is theirs to mend, never a 5xx.

The list of RPCs is the catalog's, so a new one is fuzzed from its first day. Odd values stand in for some
arguments; the others are as an honest caller would send them, so that the call gets past the first check.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import TODAY, Landlord, rpc

Make = Callable[[random.Random], Any]

HONEST_CALLS = 10
CALLS = 20, 12  # of each RPC, and for each of its arguments
SEED = 20261121
ROW = {"property_name": "Fuzz", "address_line1": "1 Elm St", "city": "Austin", "unit_number": "1"}
NUMBERS = ["0", "-1", "1e3", "1e400", "-0.0", "NaN", "Infinity", "9223372036854775808", "2147483648", "3.5"]
DAYS = ["infinity", "-infinity", "2026-02-30", "0001-01-01 BC", "5874897-12-31", "294277-01-01", "now"]
TEXTS = [
    *(
        "",
        " ",
        "\n",
        "%",
        "'",
        '"',
        "\\",
        "$1",
        "null",
        "{}",
        "[]",
        "a\tb",
        "\u0000",
        "\u202e",
        "\ud800",
        "\u0130",
    ),
    *(
        "'; drop table public.leases; --",
        "x" * 300,
        " " * 20_000 + "x",
        "é" * 5_000,
        "a@b",
        "a@b\r\nBcc: c@d",
    ),
    *("America/Nowhere", "Foo/Bar5", "owner", "member", "renter", "draft", "active", "resend", "rent_roll"),
]
COLUMNS = """
    latitude longitude bedrooms bathrooms area_sqft market_rent_minor lease_number lease_start lease_end
    notice_days rent_minor due_day deposit_minor lease_status tenant_last_name tenant_email co_tenant_4_phone
    currency country timezone manager_email property_type no_such_column
""".split()  # noqa: SIM905


# Parameters of leases' functions that are mostly left out.
NOT_SAID = (
    *("starts_on", "ends_on", "open_ended", "on_expiry", "renewal_months", "notice_days", "due_day"),
    *("signed_on", "given_on", "lease_number", "body"),
)


def scalar(dice: random.Random) -> Any:
    return dice.choice(
        [
            None,
            True,
            False,
            0,
            -1,
            1.5,
            10**30,
            1e308,
            *NUMBERS,
            *DAYS,
            *TEXTS,
            str(uuid.uuid4()),
            "not-a-uuid",
        ]
    )


def odd(dice: random.Random, depth: int = 0) -> Any:
    shape = dice.random()
    if depth > 3 or shape < 0.7:
        return scalar(dice)
    if shape < 0.85:
        return [odd(dice, depth + 1) for _ in range(dice.randrange(4))]
    # PostgREST 12 looks for parameters of similar names, in a time that grows with the square of the name.
    return {str(scalar(dice))[:100]: odd(dice, depth + 1) for _ in range(dice.randrange(4))}


def row(dice: random.Random) -> Any:
    """A row to stage: most of them look right, and one cell does not."""
    data: Any = {**ROW, **{column: scalar(dice) for column in dice.sample(COLUMNS, dice.randrange(1, 5))}}
    if dice.random() < 0.02:
        data = odd(dice)
    elif dice.random() < 0.02:
        data |= {f"key {n}": n for n in range(3_000)}
    line = odd(dice) if dice.random() < 0.02 else dice.randrange(2, 40)
    return {"line": line, "data": data} if dice.random() < 0.98 else odd(dice)


def rows(dice: random.Random) -> Any:
    return [row(dice) for _ in range(dice.choice([0, 1, 2, 10, 1001]))] if dice.random() < 0.8 else odd(dice)


@pytest.fixture(scope="module")
def signatures(stack: Stack) -> dict[str, list[str]]:
    """Every RPC of clients, and the names of its arguments."""
    with psycopg.connect(stack.db_url()) as db:
        found = db.execute(
            """
                select p.proname, p.proargnames
                from pg_catalog.pg_proc as p
                where p.pronamespace = 'public'::regnamespace
                    and has_function_privilege('authenticated', p.oid, 'execute')
                    and not exists (
                        select from pg_catalog.pg_depend as d where d.objid = p.oid and d.deptype = 'e'
                    )
                order by 1
            """
        ).fetchall()
    assert found
    return {name: list(arguments or []) for name, arguments in found}


@pytest.fixture
def imports() -> list[str]:
    """The imports that were started, the latest last."""
    return []


@pytest.fixture
def honest(landlord: Landlord, stranger: Landlord, imports: list[str]) -> dict[str, list[Make]]:
    """What arguments of each name are when they are right, or right but somebody else's."""
    leases = [landlord.draft(f"F-{n}", units=(n % 2,)) for n in range(6)]
    foreign = stranger.draft("F-0")
    start = {"kind": "rent_roll", "file_name": "fuzz.csv", "file_digest": "0" * 64}
    theirs = rpc(stranger.api, "start_import", workspace_id=stranger.workspace_id, **start)["id"]
    vendor_id = landlord.add("vendors", name="Pipes & Sons")
    requests = [
        landlord.add("maintenance_requests", property_id=landlord.property_id, title=f"Leak {n}")
        for n in range(6)
    ]
    not_ours = stranger.add("maintenance_requests", property_id=stranger.property_id, title="Leak")
    invited = {"kind": "member", "role": "viewer", "email": f"{uuid.uuid4()}@example.com"}
    rpc(landlord.api, "invite", workspace_id=landlord.workspace_id, **invited)
    (message,) = landlord.api.get("/rest/v1/messages?select=id").json()
    template = landlord.add("inspection_templates", name="Fuzz")
    landlord.add("inspection_template_items", template_id=template, room="Kitchen", item="Oven")
    place = {"property_id": landlord.property_id, "title": "Fuzz"}
    inspections = [landlord.add("inspections", **place) for _ in range(3)]
    for inspection in inspections:
        landlord.add("inspection_items", inspection_id=inspection, room="Hall", item="Lamp", condition="good")
    spent = {"category": "repairs", "amount_minor": 100, "incurred_on": "2020-01-01"}
    expense = rpc(landlord.api, "record_expense", property_id=landlord.property_id, **spent)["id"]

    def one_of(*values: Any) -> list[Make]:
        return [lambda dice: dice.choice(values)]

    return {
        "workspace_id": one_of(landlord.workspace_id, landlord.workspace_id, stranger.workspace_id),
        "user_id": one_of(landlord.owner.id, stranger.owner.id),
        "lease_id": one_of(*leases, foreign),
        "import_id": [lambda dice: dice.choice([*imports[-2:], theirs])],
        "tenant_id": one_of(landlord.tenant_id, stranger.tenant_id, None),
        "vendor_id": one_of(None, vendor_id, str(uuid.uuid4())),
        "member_id": one_of(None, landlord.owner.id, stranger.owner.id),
        "request_id": one_of(*requests, not_ours),
        "starts_at": one_of("2031-03-03T09:00:00Z"),
        "ends_at": one_of("2031-03-03T11:00:00Z", "2031-03-04T11:00:00Z"),
        "message_id": one_of(message["id"]),
        "property_id": one_of(landlord.property_id, stranger.property_id),
        "unit_id": one_of(None, landlord.unit_ids[0], stranger.unit_ids[0]),
        "template_id": one_of(template, str(uuid.uuid4())),
        "inspection_id": one_of(*inspections),
        "inspector_id": one_of(None, landlord.owner.id),
        "scheduled_at": one_of(None, "2026-01-01T10:00:00Z"),
        "title": one_of(None, "Move-in"),
        "signed_as": one_of("landlord", "renter"),
        "signer_name": one_of("Rae Renter"),
        "content_digest": one_of("0" * 64),
        "remarks": one_of(None, "Dirty"),
        "expense_id": one_of(expense),
        "category": one_of("repairs", "taxes"),
        "amount_minor": one_of(100, -100),
        "incurred_on": one_of("2020-01-01", str(TODAY)),
        "description": one_of("", "Tap"),
        "reason": one_of("Twice"),
        "ended_on": one_of(str(TODAY - timedelta(days=3)), "2020-01-01"),
        "given_by": one_of("renter", "landlord"),
        "move_out_on": one_of(str(TODAY + timedelta(days=30))),
        "from_unit_id": one_of(*landlord.unit_ids, *stranger.unit_ids),
        "to_unit_id": one_of(*landlord.unit_ids, *stranger.unit_ids),
        "effective_on": one_of(str(TODAY)),
        "on_date": one_of(str(TODAY)),
        "rent_minor": one_of(131_000),
        **dict.fromkeys(NOT_SAID, one_of(None)),
        "name": one_of("Elm Street Homes"),
        "file_name": one_of("fuzz.csv"),
        "currency": one_of("USD"),
        "timezone": one_of("America/Chicago"),
        "kind": one_of("member", "renter", "vendor", "rent_roll"),
        "role": one_of("viewer", "owner", None),
        "status": one_of("active", "suspended", "in_progress", "completed", "open"),
        "outcome": one_of("sent", "resend"),
        "email": one_of(invited["email"], None),
        "file_digest": one_of("0" * 64),
        "rows": [rows],
    }


@pytest.fixture
def unlimited(stack_db: psycopg.Connection[Any]) -> Iterator[None]:
    """As many invitations and writes as it takes."""
    before = stack_db.execute("select name, allowed from private.limits").fetchall()
    stack_db.execute("update private.limits set allowed = 1000000")
    yield
    for name, allowed in before:
        stack_db.execute("update private.limits set allowed = %s where name = %s", (allowed, name))


def arguments(dice: random.Random, names: list[str], honest: dict[str, list[Make]]) -> dict[str, Any]:
    return {name: dice.choice(honest.get(name, [odd]))(dice) for name in names}


def odd_arguments(dice: random.Random, names: list[str], honest: dict[str, list[Make]]) -> Any:
    if dice.random() < 0.03:
        return odd(dice)  # no object with these names at all
    chosen = arguments(dice, names, honest)
    chosen |= {name: odd(dice) for name in names if dice.random() < 0.25}
    if chosen and dice.random() < 0.1:
        del chosen[dice.choice(sorted(chosen))]
    return chosen


@pytest.mark.usefixtures("unlimited")
def test_no_argument_makes_an_rpc_fail_on_our_side(
    landlord: Landlord,
    signatures: dict[str, list[str]],
    honest: dict[str, list[Make]],
    imports: list[str],
) -> None:
    # The same calls every time, and those of one function the same whatever others there are.
    cups = {name: random.Random(f"{SEED} {name}") for name in signatures}  # noqa: S311
    succeeded = set()
    calls, for_each = CALLS
    turns = {name: calls + for_each * len(names) for name, names in signatures.items()}
    for turn in range(max(turns.values())):
        for name in (name for name in signatures if turn < turns[name]):
            names, dice = signatures[name], cups[name]
            choose = arguments if turn < HONEST_CALLS else odd_arguments
            body = json.dumps(choose(dice, names, honest))
            key = dice.choice([str(uuid.uuid4()), "k", "", "x" * 300, "é"])
            answer = landlord.api.post(
                f"/rest/v1/rpc/{name}",
                content=body,
                headers=[(b"Content-Type", b"application/json"), (b"Idempotency-Key", key.encode())],
            )
            told = f"{name}({body[:500]}) -> {answer.status_code} {answer.text[:500]}"
            assert answer.status_code < 500, told
            if answer.is_success:
                succeeded.add(name)
                imports += [answer.json()["id"]] if name == "start_import" else []
            else:
                assert set(answer.json()) == {"code", "message", "details", "hint"}, told
    # Or it would prove nothing: odd arguments get as far as honest ones.
    assert succeeded >= {
        "create_workspace",
        "activate_lease",
        "end_lease",
        "stage_import_rows",
        "check_import",
        "start_inspection",
        "complete_inspection",
        "void_expense",
        "assign_maintenance",
        "schedule_maintenance",
        "change_maintenance_status",
    }
