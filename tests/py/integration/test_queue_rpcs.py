"""The worker's RPCs around pgmq: a claim is a lease, read_ct the fence, and no lost answer does harm."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


@pytest.fixture
def worker(db: Db) -> Callable[..., Any]:
    """Call worker.<function> with positional arguments; lists and dicts become jsonb."""

    def call(function: str, *arguments: Any) -> Any:
        values = [Jsonb(a) if isinstance(a, list | dict) else a for a in arguments]
        places = ", ".join(["%s"] * len(values))
        row = db.execute(f"select worker.{function}({places})", values).fetchone()
        assert row is not None
        return row[0]

    return call


def expire_claims(db: Db) -> None:
    db.execute("update pgmq.q_email set vt = clock_timestamp() - interval '1 second'")


def state(db: Db, message_id: uuid.UUID) -> tuple[Any, ...]:
    row = db.execute("select status, attempts from public.messages where id = %s", (message_id,)).fetchone()
    assert row is not None
    return tuple(row)


def item(claim: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "msg_id": claim["msg_id"],
        "read_ct": claim["read_ct"],
        "message_id": claim["message"]["id"],
        **more,
    }


def test_a_claimed_message_is_nobody_elses_until_its_lease_ends(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (claim,) = worker("claim_messages", "email")
    assert claim["message"]["id"] == str(message_id) and claim["read_ct"] == 1
    assert worker("claim_messages", "email") == []
    expire_claims(db)
    (again,) = worker("claim_messages", "email")
    assert (again["msg_id"], again["read_ct"]) == (claim["msg_id"], 2)


def test_a_notice_is_queued_once(db: Db, portfolio: Portfolio, worker: Callable[..., Any]) -> None:
    portfolio.message(dedupe_key="rent/1")
    assert db.execute(
        "select private.queue_message(%s, 'lease_expiry', 'rae@example.com', null, '{}', 'rent/1')",
        (portfolio.workspace_id,),
    ).fetchone() == (None,)
    assert len(worker("claim_messages", "email")) == 1


def test_what_was_begun_and_completed_is_sent(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (claim,) = worker("claim_messages", "email")
    assert worker("begin_send", "email", claim["msg_id"], 1) is True
    assert state(db, message_id) == ("sending", 1)
    done = [{"msg_id": claim["msg_id"], "outcome": "completed"}]
    assert worker("complete_messages", "email", [item(claim)]) == done
    assert state(db, message_id) == ("sent", 1)
    assert worker("complete_messages", "email", [item(claim)])[0]["outcome"] == "already_completed"
    expire_claims(db)
    assert worker("claim_messages", "email") == []


def test_a_call_whose_answer_was_lost_can_be_repeated(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (claim,) = worker("claim_messages", "email")
    assert worker("begin_send", "email", claim["msg_id"], 1) is True
    assert worker("begin_send", "email", claim["msg_id"], 1) is True
    assert state(db, message_id) == ("sending", 1)
    failed = item(claim, kind="retryable", error="451 later")
    assert worker("fail_messages", "email", [failed])[0]["outcome"] == "retry"
    assert worker("fail_messages", "email", [failed])[0]["outcome"] == "retry"
    assert state(db, message_id) == ("queued", 1)


def test_who_lost_the_claim_can_neither_begin_nor_extend_nor_fail_nor_release(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (stale,) = worker("claim_messages", "email")
    expire_claims(db)
    (fresh,) = worker("claim_messages", "email")
    assert worker("begin_send", "email", stale["msg_id"], stale["read_ct"]) is False
    assert worker("extend_claims", "email", [item(stale)]) == []
    assert (
        worker("fail_messages", "email", [item(stale, kind="permanent", error="x")])[0]["outcome"] == "stale"
    )
    assert worker("release_messages", "email", [item(stale)]) == 0
    assert worker("complete_messages", "email", [item(stale)])[0]["outcome"] == "stale"
    assert state(db, message_id) == ("queued", 0)
    assert worker("begin_send", "email", fresh["msg_id"], fresh["read_ct"]) is True


def test_a_sender_who_died_in_mid_send_leaves_the_outcome_unknown(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (claim,) = worker("claim_messages", "email")
    worker("begin_send", "email", claim["msg_id"], 1)
    expire_claims(db)
    assert worker("claim_messages", "email") == []
    assert state(db, message_id) == ("unknown", 1)
    assert worker("health")["messages"]["unknown"] == 1
    expire_claims(db)
    assert worker("claim_messages", "email") == []


def test_a_sender_who_was_only_stopped_settles_it_after_all(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    (claim,) = worker("claim_messages", "email")
    worker("begin_send", "email", claim["msg_id"], 1)
    expire_claims(db)
    worker("claim_messages", "email")
    assert worker("complete_messages", "email", [item(claim)])[0]["outcome"] == "completed"
    assert state(db, message_id) == ("sent", 1)


def test_released_messages_are_claimed_at_once_and_cost_no_attempt(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    first, second = portfolio.message(), portfolio.message()
    claims = worker("claim_messages", "email")
    worker("begin_send", "email", claims[0]["msg_id"], 1)
    assert worker("release_messages", "email", [item(claim) for claim in claims]) == 1
    (again,) = worker("claim_messages", "email")
    assert again["message"]["id"] == str(second)
    assert state(db, second) == ("queued", 0) and state(db, first) == ("sending", 1)


def test_retries_end_in_the_dead_letter_queue(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    message_id = portfolio.message()
    outcomes = []
    for _ in range(8):
        expire_claims(db)
        (claim,) = worker("claim_messages", "email")
        worker("begin_send", "email", claim["msg_id"], claim["read_ct"])
        outcomes += worker("fail_messages", "email", [item(claim, kind="retryable", error="451 later")])
    assert [o["outcome"] for o in outcomes] == ["retry"] * 7 + ["failed"]
    caps = [min(3600, 15 * 2**n) for n in range(7)]
    assert all(0 <= o["delay_seconds"] <= cap for o, cap in zip(outcomes, caps, strict=False))
    assert state(db, message_id) == ("failed", 8)
    dead = db.execute(
        "select message ->> 'message_id', message ->> 'error' from pgmq.q_email_dead"
    ).fetchall()
    assert dead == [(str(message_id), "451 later")]
    expire_claims(db)
    assert worker("claim_messages", "email") == []


def test_delays_are_spread_over_the_whole_range(db: Db, portfolio: Portfolio) -> None:
    rows = db.execute(
        """select private.retry_delay(q, 3)
        from private.queues as q, generate_series(1, 2000) where q.name = 'email'"""
    ).fetchall()
    delays = [row[0] for row in rows]
    assert 0 <= min(delays) <= 3 and 57 <= max(delays) <= 60
    assert 27 <= sum(delays) / len(delays) <= 33


def test_a_servers_retry_after_wins(db: Db, portfolio: Portfolio, worker: Callable[..., Any]) -> None:
    portfolio.message()
    (claim,) = worker("claim_messages", "email")
    failed = item(claim, kind="retryable", error="421", retry_after_seconds=777)
    assert worker("fail_messages", "email", [failed])[0]["delay_seconds"] == 777
    row = db.execute("select vt - clock_timestamp() from pgmq.q_email").fetchone()
    assert row is not None and timedelta(seconds=770) < row[0] <= timedelta(seconds=777)


def test_a_secret_reaches_the_worker_and_is_gone_once_the_mail_is_out(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    db.execute(
        """select private.queue_message(
            %s, 'invitation', 'a@example.com', null, '{"role": "viewer"}', 'i', '{"token": "s3"}'
        )""",
        (portfolio.workspace_id,),
    )
    (claim,) = worker("claim_messages", "email")
    assert claim["message"]["payload"] == {"role": "viewer", "token": "s3"}
    worker("complete_messages", "email", [item(claim)])
    assert db.execute("select count(*) from private.message_secrets").fetchone() == (0,)


def test_a_message_of_a_deleted_workspace_is_dropped(
    db: Db, portfolio: Portfolio, worker: Callable[..., Any]
) -> None:
    portfolio.message()
    db.execute("delete from public.workspaces where id = %s", (portfolio.workspace_id,))
    assert worker("claim_messages", "email") == []
    assert db.execute("select count(*) from pgmq.q_email").fetchone() == (0,)


def test_a_queue_that_is_not_ours_is_refused(db: Db, worker: Callable[..., Any]) -> None:
    with pytest.raises(psycopg.Error, match="queue_not_found"):
        worker("claim_messages", "email_dead")
