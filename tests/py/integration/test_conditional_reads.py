"""An unchanged answer is not sent twice: ETags and If-None-Match, through the gateway."""

from __future__ import annotations

import re
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.gateway import CONDITIONAL_READS
from scripts.stack.layout import HOST, Stack
from tests.py.integration.landlord import Landlord
from tests.py.support import wait_until

SEARCH = "/rest/v1/rpc/search?q=elm"


def tagged(api: httpx.Client, path: str = SEARCH) -> str:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def test_an_answer_carries_a_tag_that_nobody_else_s_cache_may_use(landlord: Landlord) -> None:
    answer = landlord.api.get(SEARCH)
    assert [row["title"] for row in answer.json()["results"]] == ["1 Elm", "1", "2"]
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "authorization" in answer.headers["vary"].lower()


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', '"a,b" ,W/"x",W/{}', "*"])
def test_who_has_it_is_told_so_and_sent_no_body(landlord: Landlord, known: str) -> None:
    tag = tagged(landlord.api)
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": known.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("known", ['"other"', "", 'W/"other", "x"', "nonsense", '"', "{}x"])
def test_who_has_something_else_gets_the_answer(landlord: Landlord, known: str) -> None:
    tag = tagged(landlord.api)
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": known.format(tag.strip('"'))})
    assert answer.status_code == 200
    assert answer.json()["results"]


def test_a_change_makes_another_tag(landlord: Landlord) -> None:
    tag = tagged(landlord.api)
    assert tagged(landlord.api) == tag
    landlord.add("units", property_id=landlord.property_id, unit_number="3")
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_a_tag_is_good_for_its_caller_alone(landlord: Landlord, stranger: Landlord) -> None:
    """Two who see other rows have other tags, and one's tag gives the other's answer not away."""
    tag = tagged(landlord.api)
    answer = stranger.api.get(SEARCH, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_a_post_is_answered_in_full(landlord: Landlord) -> None:
    answer = landlord.api.post(
        "/rest/v1/rpc/search", json={"q": "elm"}, headers={"If-None-Match": tagged(landlord.api)}
    )
    assert answer.status_code == 200
    assert answer.json()["results"]
    assert "etag" not in answer.headers


def test_figures_are_tagged_like_everything_else(landlord: Landlord) -> None:
    reads = (
        "/rest/v1/rpc/dashboard_kpis?starts_on=2026-01-01&ends_on=2026-12-31",
        f"/rest/v1/rpc/property_summary?property_id={landlord.property_id}",
    )
    tags = [tagged(landlord.api, read) for read in reads]
    for read, tag in zip(reads, tags, strict=True):
        assert landlord.api.get(read, headers={"If-None-Match": tag}).status_code == 304
    landlord.add("units", property_id=landlord.property_id, unit_number="3")
    for read, tag in zip(reads, tags, strict=True):
        answer = landlord.api.get(read, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.json()["units"]["active"]) == (200, 3)


def test_the_gateway_counts_hits_and_misses(landlord: Landlord, stack: Stack) -> None:
    read = "/rest/v1/rpc/dashboard_kpis?starts_on=2026-03-01&ends_on=2026-03-31"

    def counted(status: int) -> int:
        metrics = httpx.get(
            f"http://{HOST}:{stack.ports.gateway_admin}/stats/prometheus", trust_env=False
        ).text
        found = re.search(
            rf'^envoy_vhost_vcluster_upstream_rq\{{envoy_response_code="{status}",'
            r'envoy_virtual_cluster="dashboard_kpis",envoy_virtual_host="api"\} (\d+)$',
            metrics,
            re.M,
        )
        return int(found[1]) if found else 0

    before = counted(200), counted(304)
    tag = tagged(landlord.api, read)
    for _ in range(2):
        landlord.api.get(read, headers={"If-None-Match": tag})
    wait_until(lambda: counted(200) > before[0] and counted(304) >= before[1] + 2)


def test_every_rpc_that_tags_its_answers_is_counted(db: psycopg.Connection[Any]) -> None:
    found = db.execute(
        """
        select proname from pg_catalog.pg_proc
        where pronamespace = 'public'::regnamespace and prosrc like '%private.conditional(%' order by 1
        """
    ).fetchall()
    assert [row[0] for row in found] == sorted(CONDITIONAL_READS)
