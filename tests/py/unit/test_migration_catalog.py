"""What counts as a difference between two databases, on dumps as pg_dump writes them."""

from __future__ import annotations

from scripts.schema.catalog import Difference, compare, objects

TABLE = """\
--
-- Name: units; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.units (
    {columns}
);


ALTER TABLE public.units OWNER TO postgres;

"""
GRANTS = """\
--
-- Name: TABLE units; Type: ACL; Schema: public; Owner: postgres
--

{grants}


--
-- PostgreSQL database dump complete
--
"""
FUNCTION = """\
--
-- Name: one(); Type: FUNCTION; Schema: private; Owner: postgres
--

CREATE FUNCTION private.one() RETURNS integer
    LANGUAGE sql
    AS $$
{body}
$$;

"""


def test_the_order_of_columns_is_no_difference() -> None:
    before = objects(TABLE.format(columns="id uuid NOT NULL,\n    floor integer"))
    after = objects(TABLE.format(columns="floor integer,\n    id uuid NOT NULL"))
    assert compare(before, after) == []


def test_a_column_of_another_type_is_a_difference() -> None:
    before = objects(TABLE.format(columns="id uuid NOT NULL,\n    floor integer"))
    after = objects(TABLE.format(columns="id uuid NOT NULL,\n    floor bigint"))
    [difference] = compare(before, after)
    assert str(difference) == "table public.units: not the same"
    assert difference.lines()[1:] == ["-    floor integer", "+    floor bigint"]


def test_the_order_of_grants_is_no_difference() -> None:
    select, insert = (
        f"GRANT {what} ON TABLE public.units TO authenticated;" for what in ("SELECT", "INSERT")
    )
    before, after = (
        objects(GRANTS.format(grants="\n".join(lines))) for lines in ((select, insert), (insert, select))
    )
    assert compare(before, after) == []
    [difference] = compare(before, objects(GRANTS.format(grants=select)))
    assert difference.name == "acl of table public.units"


def test_the_order_of_lines_in_a_function_is_a_difference() -> None:
    before = objects(FUNCTION.format(body="select 1;\nselect 2;"))
    after = objects(FUNCTION.format(body="select 2;\nselect 1;"))
    assert [difference.name for difference in compare(before, after)] == ["function private.one()"]


def test_an_object_on_one_side_is_named_with_its_side() -> None:
    table, function = TABLE.format(columns="id uuid"), FUNCTION.format(body="select 1")
    [only_sources] = compare(objects(table), objects(table + function))
    [only_migrations] = compare(objects(table + function), objects(table))
    assert str(only_sources) == "function private.one(): only in the sources"
    assert str(only_migrations) == "function private.one(): only in the migrations"


def test_lines_show_both_sides() -> None:
    difference = Difference("setting of role worker: statement_timeout", "30s", "60s")
    assert difference.lines()[1:] == ["-30s", "+60s"]
