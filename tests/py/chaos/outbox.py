"""A queue of its own with messages in it, real worker processes on it, and what became of each message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.py.chaos.mail_server import MailServer
from tests.py.support import wait_until

DOMAIN = "mail.test"
NOTICE = {
    "workspace_name": "Elm Street Homes",
    "recipient_name": None,
    "lease_number": "L-1",
    "property_name": "1 Elm",
    "unit_numbers": ["1"],
    "tenant_names": ["Rae Renter"],
    "ends_on": "2027-01-31",
    "days_left": 60,
    "notice_deadline_on": None,
    "threshold": "days_60",
}


@dataclass(frozen=True)
class Account:
    """The balance of a run. `lost`: recorded as sent, but not in the mailbox, or not settled at all."""

    messages: int
    statuses: Counter[str]
    delivered: int
    duplicates: int
    lost: int
    unknown_delivered: int


class Outbox:
    """Messages in a queue that no other test works on; quick retries, three attempts."""

    def __init__(self, db_url: str) -> None:
        self.db_url = db_url
        self.queue = f"t_{uuid.uuid4().hex[:10]}".translate(str.maketrans("0123456789", "ghijklmnop"))
        self.ids: list[str] = []
        self.workspace_id = str(uuid.uuid4())
        with self.connect() as db:
            db.execute(
                """insert into private.queues (name, dead_letter, max_attempts, backoff_base, backoff_cap)
                values (%s, %s, 3, '1 second', '1 second')""",
                (self.queue, f"{self.queue}_dead"),
            )
            db.execute(
                "select pgmq.create(q) from unnest(%s::text[]) as q", ([self.queue, f"{self.queue}_dead"],)
            )
            db.execute(
                "insert into public.workspaces (id, name, timezone) values (%s, 'Elm Street Homes', 'UTC')",
                (self.workspace_id,),
            )

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.db_url, autocommit=True)

    def put(self, *local_parts: str, payload: Mapping[str, Any] = NOTICE) -> list[str]:
        """One message to each `<local part>@example.com`; their ids."""
        ids = [str(uuid.uuid4()) for _ in local_parts]
        with self.connect() as db, db.transaction():
            db.cursor().executemany(
                """insert into public.messages
                    (id, workspace_id, template, to_address, payload, dedupe_key, request_id)
                values (%s, %s, 'lease_expiry', %s, %s, %s, 'req-of-the-test')""",
                [
                    (message_id, self.workspace_id, f"{local}@example.com", Jsonb(dict(payload)), message_id)
                    for message_id, local in zip(ids, local_parts, strict=True)
                ],
            )
            db.execute(
                """select pgmq.send(%s, jsonb_build_object('message_id', id))
                from unnest(%s::text[]) with ordinality as t (id, place) order by place""",
                (self.queue, ids),
            )
        self.ids += ids
        return ids

    def rows(self) -> dict[str, tuple[str, int, str | None]]:
        """(status, attempts, last_error) by message id."""
        with self.connect() as db:
            found = db.execute(
                "select id::text, status, attempts, last_error from public.messages where workspace_id = %s",
                (self.workspace_id,),
            ).fetchall()
        return {row[0]: (row[1], row[2], row[3]) for row in found}

    def statuses(self) -> Counter[str]:
        return Counter(status for status, _, _ in self.rows().values())

    def visible(self) -> int:
        return self._metric("queue_visible_length", self.queue)

    def dead_letters(self) -> int:
        return self._metric("queue_length", f"{self.queue}_dead")

    def _metric(self, column: str, queue: str) -> int:
        query = sql.SQL("select {} from pgmq.metrics(%s)").format(sql.Identifier(column))
        with self.connect() as db:
            row = db.execute(query, (queue,)).fetchone()
        assert row is not None
        return int(row[0])

    def wait_settled(self, *, within: float) -> None:
        """Until every message is sent, unknown or failed."""

        def settled() -> bool:
            return not self.statuses().keys() & {"queued", "sending"}

        wait_until(settled, within=within, every=0.1)

    def account(self, mailbox: MailServer, ids: list[str] | None = None) -> Account:
        """What became of these messages, or of all; by the table and by the mailbox."""
        arrived = Counter(mailbox.ids())
        rows = {message_id: row for message_id, row in self.rows().items() if message_id in (ids or self.ids)}
        mails = {message_id: arrived[f"<{message_id}@{DOMAIN}>"] for message_id in rows}
        return Account(
            messages=len(rows),
            statuses=Counter(status for status, _, _ in rows.values()),
            delivered=sum(1 for count in mails.values() if count),
            duplicates=sum(count - 1 for count in mails.values() if count > 1),
            lost=sum(
                1
                for message_id, (status, _, _) in rows.items()
                if status in ("queued", "sending") or (status == "sent" and not mails[message_id])
            ),
            unknown_delivered=sum(
                1 for message_id, (status, _, _) in rows.items() if status == "unknown" and mails[message_id]
            ),
        )


class Workers:
    """Starts `freehold work` as a process of its own; ends those that are left."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, outbox: Outbox, mail: MailServer, *options: str, **settings: str
    ) -> subprocess.Popen[bytes]:
        """A worker on the outbox's queue that sends to `mail`; settings by variable name."""
        log = self._logs / f"worker_{len(self._started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "workers", "work", "--queue", outbox.queue, *options],
                env={
                    **os.environ,
                    **self._environment,
                    "FREEHOLD_ENV": "test",
                    "SMTP_URL": mail.url,
                    "MAIL_DOMAIN": DOMAIN,
                    "WORKER_LEASE_SECONDS": "2",
                    "WORKER_POLL_SECONDS": "0.5",
                    "LOG_FORMAT": "json",
                    **settings,
                },
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self._logs,
            )
        self._started.append(process)
        return process

    def run(self, outbox: Outbox, mail: MailServer, **settings: str) -> int:
        """Work until the queue is empty; the exit code."""
        return self.start(outbox, mail, "--until-empty", **settings).wait(60)

    def events(self, number: int = -1) -> list[dict[str, Any]]:
        """What the worker logged so far."""
        number %= len(self._started)
        lines = (self._logs / f"worker_{number}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def log(self, number: int = -1) -> str:
        return (self._logs / f"worker_{number % len(self._started)}.log").read_text()

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait(10)
