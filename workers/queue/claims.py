"""A claimed message, and the RPCs about claims of one queue, typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from workers.queue.outcomes import Permanent, Retryable, Unknown
from workers.supabase_api import WorkerApi


@dataclass(frozen=True)
class Message:
    """What to send to whom. `mail_message_id` is the same on every try; `attempts` are the earlier ones."""

    id: str
    template: str
    to_address: str = field(repr=False)
    to_name: str | None = field(default=None, repr=False)
    payload: dict[str, Any] = field(default_factory=dict, repr=False)
    mail_message_id: str | None = None
    workspace_id: str | None = None
    channel: str = "email"
    attempts: int = 0
    request_id: str | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Message:
        """From the database's JSON; a newer database may say more than we know."""
        return cls(**{name: row[name] for name in (one.name for one in fields(cls)) if name in row})


@dataclass(frozen=True)
class Claim:
    """A message under lease. `read_ct` is the fencing token: it moves on with every new claim."""

    msg_id: int
    read_ct: int
    message: Message

    @property
    def key(self) -> dict[str, Any]:
        return {"msg_id": self.msg_id, "read_ct": self.read_ct, "message_id": self.message.id}


Failure = Retryable | Permanent | Unknown
KINDS = {Retryable: "retryable", Permanent: "permanent", Unknown: "unknown"}


class MessageQueue:
    """One queue, by name, with the lease that its claims get."""

    def __init__(self, api: WorkerApi, name: str, *, lease_seconds: int) -> None:
        self._api = api
        self.name = name
        self.lease_seconds = lease_seconds

    async def claim(self, limit: int, *, patient: bool = True) -> list[Claim]:
        """Up to `limit` messages. Not `patient`: one try, for callers that loop by themselves."""
        rows = await self._call(
            "claim_messages",
            None if patient else 0,
            p_limit=limit,
            p_lease_seconds=self.lease_seconds,
        )
        return [Claim(row["msg_id"], row["read_ct"], Message.of(row["message"])) for row in rows]

    async def begin_send(self, claim: Claim) -> bool:
        """Mark the message as being sent, for good; False when the claim is lost and it must not be sent."""
        return bool(
            await self._call(
                "begin_send",
                p_msg_id=claim.msg_id,
                p_read_ct=claim.read_ct,
                p_lease_seconds=self.lease_seconds,
            )
        )

    async def complete(self, claims: Sequence[Claim]) -> dict[int, str]:
        """`completed`, `already_completed` or `stale`, by msg_id."""
        return _outcomes(await self._call("complete_messages", p_items=[claim.key for claim in claims]))

    async def fail(self, failures: Sequence[tuple[Claim, Failure]]) -> dict[int, str]:
        """`retry`, `failed`, `unknown` or `stale`, by msg_id."""
        items = [{**claim.key, "kind": KINDS[type(it)], "error": it.error[:1000]} for claim, it in failures]
        for item, (_, failure) in zip(items, failures, strict=True):
            if isinstance(failure, Retryable) and failure.retry_after is not None:
                item["retry_after_seconds"] = round(failure.retry_after)
        return _outcomes(await self._call("fail_messages", p_items=items))

    async def extend(self, claims: Iterable[Claim]) -> set[int]:
        """Renew the leases; the msg_ids that are still held."""
        items = [claim.key for claim in claims]
        return set(await self._call("extend_claims", p_items=items, p_lease_seconds=self.lease_seconds))

    async def release(self, claims: Iterable[Claim]) -> None:
        """Give the messages back, to be claimed at once, without counting a try."""
        await self._call("release_messages", p_items=[claim.key for claim in claims])

    async def length(self) -> int:
        """Messages in the queue, those under lease or waiting for their next try included."""
        rows = await self._api.rpc("queue_metrics")
        return int(next((row["length"] for row in rows if row["queue"] == self.name), 0))

    async def _call(self, function: str, deadline: float | None = None, **arguments: Any) -> Any:
        return await self._api.rpc(function, {"p_queue": self.name, **arguments}, deadline=deadline)


def _outcomes(rows: list[dict[str, Any]]) -> dict[int, str]:
    return {row["msg_id"]: row["outcome"] for row in rows}
