"""A mail to send, and the RPCs about claims of mails, typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from workers.queue.claims import Claim, Failure, failed_item, length_of, outcomes_of, renewed_leases
from workers.queue.outcomes import Done, Unavailable
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

    def described(self) -> Mapping[str, Any]:
        return {"message_id": self.id, "template": self.template, "request_id": self.request_id}


class MessageQueue:
    """One queue of mails, by name, with the lease that its claims get."""

    noun = "message"

    def __init__(self, api: WorkerApi, name: str, *, lease_seconds: int) -> None:
        self._api = api
        self.name = name
        self.lease_seconds = lease_seconds

    async def claim(self, limit: int, *, patient: bool = True) -> list[Claim[Message]]:
        """Up to `limit` messages. Not `patient`: one try, for callers that loop by themselves."""
        rows = await self._call(
            "claim_messages",
            None if patient else 0,
            p_limit=limit,
            p_lease_seconds=self.lease_seconds,
        )
        return [Claim(row["msg_id"], row["read_ct"], Message.of(row["message"])) for row in rows]

    async def begin(self, claim: Claim[Message]) -> bool:
        """Mark the message as being sent, for good; False when the claim is lost and it must not be sent."""
        return bool(
            await self._call(
                "begin_send",
                p_msg_id=claim.msg_id,
                p_read_ct=claim.read_ct,
                p_lease_seconds=self.lease_seconds,
            )
        )

    async def complete(self, done: Sequence[tuple[Claim[Message], Done]]) -> dict[int, str]:
        """`completed`, `already_completed` or `stale`, by msg_id."""
        items = [_key(claim) for claim, _ in done]
        return outcomes_of(await self._call("complete_messages", p_items=items))

    async def fail(self, failures: Sequence[tuple[Claim[Message], Failure]]) -> dict[int, str]:
        """`retry`, `failed`, `unknown` or `stale`, by msg_id."""
        items = [failed_item(_key(claim), failure) for claim, failure in failures]
        return outcomes_of(await self._call("fail_messages", p_items=items))

    async def extend(self, claims: Iterable[Claim[Message]]) -> set[int]:
        """Renew the leases; the msg_ids that are still held."""
        items = [_key(claim) for claim in claims]
        return await renewed_leases(self._api, self.name, items, self.lease_seconds)

    async def release(self, released: Sequence[tuple[Claim[Message], Unavailable]]) -> None:
        """Give the messages back, to be claimed at once, without counting a try."""
        await self._call("release_messages", p_items=[_key(claim) for claim, _ in released])

    async def length(self) -> int:
        """Messages in the queue, those under lease or waiting for their next try included."""
        return await length_of(self._api, self.name)

    async def _call(self, function: str, deadline: float | None = None, **arguments: Any) -> Any:
        return await self._api.rpc(function, {"p_queue": self.name, **arguments}, deadline=deadline)


def _key(claim: Claim[Message]) -> dict[str, Any]:
    return {**claim.key, "message_id": claim.item.id}
