"""Custom fields: what is taken as a value, what stays while definitions change, and filters over HTTP."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.layout import REPOSITORY, Stack
from tests.py.integration.landlord import Landlord, call, refusal, rows, rpc
from tests.py.integration.meeting import acting, asked, met, refused, value
from tests.py.integration.portfolio import Portfolio
from tests.py.support import User, as_role

Db = psycopg.Connection[Any]
PAGE = (REPOSITORY / "docs" / "how-to" / "custom-fields.md").read_text()


class Fields:
    """One unit of a workspace, and the fields that its owner defines for units."""

    def __init__(self, db: Db) -> None:
        self.portfolio = Portfolio(db)
        self.db, self.owner_id = db, self.portfolio.owner_id
        self.workspace_id = self.portfolio.workspace_id
        self.unit_id = self.portfolio.building(1)[1][0]

    def define(self, key: str, type_: str = "text", *, options: list[str] | None = None, **more: Any) -> None:
        columns = {"key": key, "label": key, "type": type_, "options": options, **more}
        self.db.execute(
            f"""insert into public.custom_field_definitions (workspace_id, entity, {", ".join(columns)})
            values (%s, 'units', {", ".join(["%s"] * len(columns))})""".encode(),
            (self.workspace_id, *columns.values()),
        )

    def set(self, **fields: Any) -> dict[str, Any]:
        """As the owner through the API; committed."""
        query = "select public.set_custom_fields('units', %s, %s)"
        return dict(asked(self.db, self.owner_id, query, self.unit_id, json.dumps(fields)))

    def setting(self, **fields: Any) -> Callable[[Db], Any]:
        query = "select public.set_custom_fields('units', %s, %s)"
        return acting(self.owner_id, query, self.unit_id, json.dumps(fields))

    def changing(self, change: str) -> Callable[[Db], Any]:
        return acting(self.owner_id, f"update public.custom_field_definitions set {change} returning key")


@pytest.fixture
def fields(db: Db) -> Fields:
    db.autocommit = True
    return Fields(db)


def code(error: pytest.ExceptionInfo[psycopg.Error]) -> str:
    return str(json.loads(error.value.diag.message_primary or "")["code"])


@pytest.mark.parametrize(
    ("type_", "fits", "does_not"),
    [
        ("text", ["A1", "x" * 2000, "two\nlines"], ["", "  ", "x" * 2001, 1, True, None, ["A1"], {}]),
        (
            "url",
            ["https://a.test", "http://a.test/b?c=d"],
            ["a.test", "ftp://a", "https://", "https:// a", 1],
        ),
        ("number", [0, -1.5, 12.125, 999_999_999_999], [1.2345, 1e12, "1", True, None, []]),
        ("integer", [0, -3, 2**53 - 1], [1.5, 2**53, "3", False]),
        ("boolean", [True, False], ["true", 0, 1, None]),
        (
            "date",
            ["2024-02-29", "1900-01-01"],
            ["2023-02-29", "24-02-01", "2024-2-1", "infinity", "9999-01-01", 2024],
        ),
        ("option", ["gas"], ["coal", "", ["gas"], None, 1]),
        (
            "options",
            [["gas"], ["gas", "oil"]],
            [[], ["gas", "gas"], ["coal"], ["gas", None], ["gas", 1], "gas", {}],
        ),
    ],
)
def test_a_value_fits_its_type(fields: Fields, type_: str, fits: list[Any], does_not: list[Any]) -> None:
    fields.define("f", type_, options=["gas", "oil"] if type_.startswith("option") else None)
    row = "insert into public.unit_custom_fields (workspace_id, unit_id, fields) values (%s, %s, %s)"
    for each in fits:
        assert fields.set(f=each) == {"f": each}
    fields.db.execute("delete from public.unit_custom_fields")
    for each in does_not:
        with pytest.raises(psycopg.Error) as wrong:
            fields.db.execute(row, (fields.workspace_id, fields.unit_id, json.dumps({"f": each})))
        assert code(wrong) == "custom_field_invalid", each


def test_a_number_written_with_decimals_is_no_integer(fields: Fields) -> None:
    fields.define("f", "integer")
    with pytest.raises(psycopg.Error) as wrong:
        acting(
            fields.owner_id, "select public.set_custom_fields('units', %s, '{\"f\": 5.0}')", fields.unit_id
        )(fields.db)
    assert code(wrong) == "custom_field_invalid"


def test_a_refusal_names_the_field_and_the_record(fields: Fields) -> None:
    fields.define("heating", "option", options=["gas", "oil"])
    with pytest.raises(psycopg.Error) as wrong:
        fields.set(heating="coal")
    assert json.loads(wrong.value.diag.message_primary or "") == {
        "code": "custom_field_invalid",
        "message": "The field heating must be one of its options.",
        "details": f"key=heating unit_id={fields.unit_id}",
        "hint": "Its options are gas, oil.",
    }


def test_values_are_set_one_by_one_and_taken_away(fields: Fields) -> None:
    fields.define("a")
    fields.define("b")
    assert fields.set(a="1") == {"a": "1"}
    assert fields.set(b="2") == {"a": "1", "b": "2"}
    assert fields.set(a=None) == {"b": "2"}


def test_a_key_that_nobody_defined_or_defined_for_others_is_refused(fields: Fields) -> None:
    fields.define("a")
    fields.db.execute("update public.custom_field_definitions set label = 'A'")
    fields.db.execute(
        """insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
        values (%s, 'leases', 'of_leases', 'x', 'text')""",
        (fields.workspace_id,),
    )
    for key in ("nobody", "of_leases", "A"):
        with pytest.raises(psycopg.Error) as unknown:
            fields.set(**{key: "x"})
        assert code(unknown) == "custom_field_unknown"


def test_a_required_field_comes_with_every_row_of_values(fields: Fields) -> None:
    fields.define("a", required=True)
    fields.define("b")
    with pytest.raises(psycopg.Error) as missing:
        fields.set(b="2")
    assert code(missing) == "custom_field_required"
    fields.set(a="1", b="2")
    with pytest.raises(psycopg.Error) as missing:
        fields.set(a=None)
    assert code(missing) == "custom_field_required"
    fields.db.execute("update public.custom_field_definitions set status = 'archived' where key = 'a'")
    assert fields.set(a=None) == {"b": "2"}


def test_an_archived_value_stays_or_goes(fields: Fields) -> None:
    fields.define("a")
    fields.define("b")
    fields.set(a="1")
    fields.db.execute(
        "update public.custom_field_definitions set status = 'archived' where key in ('a', 'b')"
    )
    for change in ({"a": "2"}, {"b": "1"}):
        with pytest.raises(psycopg.Error) as archived:
            fields.set(**change)
        assert code(archived) == "custom_field_archived"
    assert fields.set(a="1") == {"a": "1"}
    assert fields.set(a=None) == {}
    fields.db.execute("delete from public.unit_custom_fields")
    with pytest.raises(psycopg.Error) as archived:
        fields.set(a="1")
    assert code(archived) == "custom_field_archived"
    fields.db.execute("update public.custom_field_definitions set status = 'active'")
    assert fields.set(a="2") == {"a": "2"}


def test_one_wrong_row_of_many_is_found_and_stops_them_all(fields: Fields) -> None:
    fields.define("n", "integer")
    units = fields.portfolio.building(50)[1]
    with pytest.raises(psycopg.Error) as wrong:
        fields.db.execute(
            """insert into public.unit_custom_fields (workspace_id, unit_id, fields)
            select %s, u.id, case u.id when %s then '{"n": "x"}' else '{"n": 1}' end::jsonb
            from unnest(%s::uuid []) as u (id)""",
            (fields.workspace_id, units[49], units),
        )
    assert str(units[49]) in str(wrong.value)
    assert value(fields.db, "select count(*) from public.unit_custom_fields") == 0


def test_there_is_an_end_to_definitions_and_to_values(fields: Fields) -> None:
    for n in range(100):
        fields.define(f"f{n}")
    with pytest.raises(psycopg.Error) as limit:
        fields.define("one_more")
    assert code(limit) == "custom_field_limit"
    with pytest.raises(psycopg.errors.CheckViolation):
        fields.set(**{f"f{n}": "x" * 2000 for n in range(20)})


@pytest.mark.parametrize("options", [[], ["a", "a"], ["a", " "], ["a", None], ["x" * 121], None])
def test_options_are_different_words(fields: Fields, options: list[str] | None) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        fields.define("f", "option", options=options)


def test_every_kind_of_record_has_its_table_of_values(fields: Fields) -> None:
    """What may be defined can be set: the lists in the check, the view and the triggers are the same."""
    entities = value(
        fields.db,
        """select array_agg(m[1] order by m[1]) from regexp_matches(
            (select pg_get_constraintdef(oid) from pg_constraint
            where conname = 'custom_field_definitions_entity_check'), $$'([a-z_]+)'$$, 'g') as m""",
    )
    listed = fields.db.execute(
        "select values_table, array[entity, id_column] from private.custom_field_entities order by 1"
    ).fetchall()
    assert entities == sorted(arguments[0] for _, arguments in listed)
    for event in ("insert", "update"):
        checked = fields.db.execute(
            """select c.relname, array_remove(string_to_array(encode(t.tgargs, 'escape'), '\\000'), '')
            from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
            where t.tgname = %s order by 1""",
            (f"check_custom_fields_on_{event}",),
        ).fetchall()
        assert checked == listed


def test_a_workspace_goes_with_its_fields(fields: Fields) -> None:
    fields.define("a")
    fields.set(a="1")
    fields.db.execute("delete from public.workspaces")
    assert value(fields.db, "select count(*) from public.custom_field_definitions") == 0


def test_an_option_is_not_taken_off_while_a_value_that_uses_it_is_on_its_way(
    fields: Fields, database: str
) -> None:
    fields.define("heating", "options", options=["gas", "oil"])
    outcome = met(
        fields.portfolio, database, fields.setting(heating=["oil"]), fields.changing("options = '{gas}'")
    )
    assert "custom_field_in_use" in refused(outcome)


def test_a_value_waits_for_the_option_that_is_taken_off(fields: Fields, database: str) -> None:
    fields.define("heating", "option", options=["gas", "oil"])
    outcome = met(
        fields.portfolio, database, fields.changing("options = '{gas}'"), fields.setting(heating="oil")
    )
    assert "custom_field_invalid" in refused(outcome)


def test_a_field_is_not_deleted_under_a_value(fields: Fields, database: str) -> None:
    fields.define("a")
    delete = acting(fields.owner_id, "delete from public.custom_field_definitions returning key")
    assert "custom_field_in_use" in refused(met(fields.portfolio, database, fields.setting(a="1"), delete))
    fields.db.execute("delete from public.unit_custom_fields")
    assert "custom_field_unknown" in refused(met(fields.portfolio, database, delete, fields.setting(a="1")))


def test_two_who_set_different_keys_both_hold(fields: Fields, database: str) -> None:
    fields.define("a")
    fields.define("b")
    fields.set(a="0")
    outcome = met(fields.portfolio, database, fields.setting(a="1"), fields.setting(b="2"))
    assert outcome == {"a": "1", "b": "2"}


def test_writers_of_values_do_not_wait_for_each_other(fields: Fields, database: str) -> None:
    fields.define("a")
    other_unit = fields.portfolio.building(1)[1][0]
    with psycopg.connect(database) as first, psycopg.connect(database) as second:
        fields.setting(a="1")(first)
        second.execute("set lock_timeout = '2s'")
        query = "select public.set_custom_fields('units', %s, '{\"a\": \"2\"}')"
        assert acting(fields.owner_id, query, other_unit)(second) == {"a": "2"}


def test_who_may_not_write_the_record_sets_nothing(fields: Fields) -> None:
    fields.define("a")
    viewer, stranger = uuid.uuid4(), uuid.uuid4()
    fields.portfolio.user(viewer, "viewer@example.com")
    fields.portfolio.user(stranger, "stranger@example.com")
    fields.portfolio.member(viewer, "viewer")
    query = "select public.set_custom_fields('units', %s, '{\"a\": \"1\"}')"
    for person, unit_id, expected in [
        (viewer, fields.unit_id, "permission_denied"),
        (stranger, fields.unit_id, "record_not_found"),
        (stranger, uuid.uuid4(), "record_not_found"),
    ]:
        with pytest.raises(psycopg.Error) as refusal_:
            asked(fields.db, person, query, unit_id)
        assert code(refusal_) == expected


def test_writing_a_record_asks_nothing_about_its_fields(fields: Fields) -> None:
    """Imports and everybody else who sets no custom field pay nothing for them."""
    on_units = value(
        fields.db,
        """select count(*) from pg_trigger as t join pg_proc as p on p.oid = t.tgfoid
        where t.tgrelid in ('public.units'::regclass, 'public.leases'::regclass)
            and p.prosrc like '%%custom_field%%'""",
    )
    assert on_units == 0


def test_a_filter_reads_the_caller_s_workspaces_and_no_index_on_values(fields: Fields) -> None:
    """What docs/explanation/custom-fields.md says about indexes: row security comes before `@>`."""
    fields.db.execute(
        """with w as (insert into public.workspaces (id, name)
            select gen_random_uuid(), 'W' from generate_series(1, 50) returning id)
        insert into public.properties (workspace_id, name, address_line1, city)
        select w.id, 'P' || n, '1 Elm St', 'Austin' from w, generate_series(1, 50) as n"""
    )
    fields.db.execute(
        """insert into public.property_custom_fields (workspace_id, property_id)
        select workspace_id, id from public.properties"""
    )
    fields.db.execute("create index on public.property_custom_fields using gin (fields jsonb_path_ops)")
    fields.db.execute("analyze public.property_custom_fields")
    query = 'select from public.property_custom_fields where fields @> \'{"a": "x"}\''

    def plan() -> str:
        lines = fields.db.execute(f"explain (analyze, costs off, timing off, summary off) {query}".encode())
        return "\n".join(row[0] for row in lines)

    assert "Index Cond: (fields @>" in plan(), "past row security the index would serve"
    with as_role(fields.db, "authenticated", sub=str(fields.owner_id)):
        mine = plan()
    assert "Index Cond: (workspace_id = ANY" in mine
    assert "Index Cond: (fields @>" not in mine
    assert "Rows Removed by Filter: 1\n" in mine


# Over HTTP, with a real token.


@pytest.fixture
def kept(landlord: Landlord) -> Landlord:
    """A landlord whose two units have values: keys 9 and 10."""
    of_units = {"workspace_id": landlord.workspace_id, "entity": "units"}
    defined = landlord.api.post(
        "/rest/v1/custom_field_definitions",
        json=[
            {**of_units, "key": "keys", "label": "Keys", "type": "integer"},
            {**of_units, "key": "painted_on", "label": "Painted", "type": "date"},
            {**of_units, "key": "parking", "label": "Parking", "type": "text"},
        ],
    )
    assert defined.status_code == 201, defined.text
    for unit_id, fields in zip(
        landlord.unit_ids,
        ({"keys": 9, "painted_on": "2019-12-31", "parking": "A1"}, {"keys": 10, "painted_on": "2020-01-01"}),
        strict=True,
    ):
        rpc(landlord.api, "set_custom_fields", entity="units", entity_id=unit_id, fields=fields)
    return landlord


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("fields->>parking=eq.A1", ["1"]),
        ("fields->keys=gt.9", ["2"]),
        ("fields->keys=lt.10", ["1"]),
        ("fields->keys=eq.10", ["2"]),
        ("fields->keys=gte.9&order=unit_number.desc", ["2", "1"]),
        ("fields->>painted_on=lt.2020-01-01", ["1"]),
        ("fields->>painted_on=gte.2020-01-01", ["2"]),
        ('fields=cs.{"keys":10}', ["2"]),
        ("fields->>parking=is.null", ["2"]),
        ("fields->keys=in.(10,11)", ["2"]),
    ],
)
def test_units_are_filtered_by_what_their_fields_hold(kept: Landlord, query: str, units: list[str]) -> None:
    found = rows(
        kept.api, f"units?select=unit_number,unit_custom_fields!inner(fields)&unit_custom_fields.{query}"
    )
    assert [row["unit_number"] for row in found] == units


def test_values_come_beside_the_columns(kept: Landlord) -> None:
    assert rows(
        kept.api, "units?select=unit_number,...unit_custom_fields(custom:fields)&unit_number=eq.2"
    ) == [{"unit_number": "2", "custom": {"keys": 10, "painted_on": "2020-01-01"}}]


def test_what_is_refused_over_http_is_the_client_s_to_mend(kept: Landlord) -> None:
    wrong = call(
        kept.api, "set_custom_fields", entity="units", entity_id=kept.unit_ids[0], fields={"keys": "9"}
    )
    assert refusal(wrong) == (422, "custom_field_invalid")
    patched = kept.api.patch(
        f"/rest/v1/unit_custom_fields?unit_id=eq.{kept.unit_ids[0]}", json={"fields": {"shoes": 1}}
    )
    assert refusal(patched) == (422, "custom_field_unknown")
    nobody = call(kept.api, "set_custom_fields", entity="vendors", entity_id=str(uuid.uuid4()), fields={})
    assert refusal(nobody) == (422, "entity_unknown")
    no_object = call(kept.api, "set_custom_fields", entity="units", entity_id=kept.unit_ids[0], fields=[1])
    assert refusal(no_object) == (422, "custom_fields_no_object")


def test_a_renter_sees_their_unit_and_none_of_its_fields(
    kept: Landlord,
    stack_db: Db,
    new_user: Callable[..., User],
    api: Callable[[User | str | None], httpx.Client],
) -> None:
    rpc(kept.api, "activate_lease", lease_id=kept.draft("BEGUN"))
    person = new_user()
    stack_db.execute("update public.tenants set user_id = %s where id = %s", (person.id, kept.tenant_id))
    renter = api(person)
    assert rows(renter, "units?select=unit_number,unit_custom_fields(fields)") == [
        {"unit_number": "1", "unit_custom_fields": None}
    ]
    assert (
        rows(
            renter,
            "units?select=unit_number,unit_custom_fields!inner(fields)&unit_custom_fields.fields->>parking=eq.A1",
        )
        == []
    )
    assert rows(renter, "custom_field_definitions") == []


def test_a_vendor_sees_their_work_and_none_of_its_fields(
    landlord: Landlord,
    stack_db: Db,
    new_user: Callable[..., User],
    api: Callable[[User | str | None], httpx.Client],
) -> None:
    landlord.add(
        "custom_field_definitions",
        entity="maintenance_requests",
        key="budget",
        label="Budget",
        type="integer",
    )
    request_id = landlord.add("maintenance_requests", property_id=landlord.property_id, title="Leak")
    rpc(
        landlord.api,
        "set_custom_fields",
        entity="maintenance_requests",
        entity_id=request_id,
        fields={"budget": 50000},
    )
    person, vendor_id = new_user(), landlord.add("vendors", name="Pipes & Sons")
    stack_db.execute("update public.vendors set user_id = %s where id = %s", (person.id, vendor_id))
    stack_db.execute(
        """update public.maintenance_requests
        set status = 'assigned', assigned_vendor_id = %s where id = %s""",
        (vendor_id, request_id),
    )
    both = "maintenance_requests?select=title,maintenance_request_custom_fields(fields)"
    assert rows(landlord.api, both) == [
        {"title": "Leak", "maintenance_request_custom_fields": {"fields": {"budget": 50000}}}
    ]
    assert rows(api(person), both) == [{"title": "Leak", "maintenance_request_custom_fields": None}]


# supabase-py uses a parameter of its own postgrest client that the latter has deprecated.
@pytest.mark.filterwarnings("ignore:The '.*' parameter is deprecated:DeprecationWarning")
def test_the_how_to_works_as_written(
    stack: Stack, landlord: Landlord, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, setting in {
        "API_URL": stack.api_url,
        "ANON_KEY": stack.keys.anon_key,
        "EMAIL": landlord.owner.email,
        "PASSWORD": landlord.owner.password,
    }.items():
        monkeypatch.setenv(name, setting)
    landlord.add("units", property_id=landlord.property_id, unit_number="3")
    session: dict[str, Any] = {}
    printed = []
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(block, "custom-fields.md", "exec"), session)  # noqa: S102 - our own page
        printed.append(capsys.readouterr().out.splitlines())

    _signed_in, _defined, written, wrong, read, filtered, archived = printed
    assert written[1] == "{'keys': 10, 'heating': 'gas', 'parking': 'A1'}"
    assert wrong == [
        "custom_field_invalid - The field heating must be one of its options. Its options are gas, electric."
    ]
    assert len(read) == 3
    assert read[2] == "{'unit_number': '3', 'unit_custom_fields': None}"
    assert [re.findall(r"'unit_number': '(\d)'", line) for line in filtered] == [
        ["1"],
        ["1"],
        ["2"],
        ["2"],
        ["3"],
        [],
    ]
    assert filtered[5] == "[10, 9]"
    assert archived == ["True"]
