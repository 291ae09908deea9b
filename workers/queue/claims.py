"""What is claimed from a queue, and what every queue can be asked: the consumer knows no more of the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from workers.queue.outcomes import Done, Permanent, Retryable, Unavailable, Unknown
from workers.supabase_api import WorkerApi


class Item(Protocol):
    """What there is to do."""

    @property
    def id(self) -> str: ...

    def described(self) -> Mapping[str, Any]:
        """What of it may stand in a log."""


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True)
class Claim(Generic[ItemT]):
    """An item under lease. `read_ct` is the fencing token: it moves on with every new claim."""

    msg_id: int
    read_ct: int
    item: ItemT

    @property
    def key(self) -> dict[str, Any]:
        return {"msg_id": self.msg_id, "read_ct": self.read_ct}


Failure = Retryable | Permanent | Unknown
KINDS = {Retryable: "retryable", Permanent: "permanent", Unknown: "unknown"}


class WorkQueue(Protocol[ItemT]):
    """One queue, with the lease that its claims get. Each call may be repeated, and raises ApiError.

    What became of items is told by msg_id; `stale`: somebody else had claimed it meanwhile.
    """

    noun: str
    lease_seconds: int

    async def claim(self, limit: int, *, patient: bool = True) -> list[Claim[ItemT]]:
        """Up to `limit` items. Not `patient`: one try, for callers that loop by themselves."""

    async def begin(self, claim: Claim[ItemT]) -> bool | None:
        """At the last moment at which nothing has happened. False: leave it alone; None: so, and it waits."""

    async def complete(self, done: Sequence[tuple[Claim[ItemT], Done]]) -> dict[int, str]: ...

    async def fail(self, failures: Sequence[tuple[Claim[ItemT], Failure]]) -> dict[int, str]: ...

    async def extend(self, claims: Iterable[Claim[ItemT]]) -> set[int]:
        """Renew the leases; the msg_ids that are still held."""

    async def release(self, released: Sequence[tuple[Claim[ItemT], Unavailable]]) -> None:
        """Give the items back, to be claimed at once, without counting a try."""

    async def length(self) -> int:
        """Items in the queue, those under lease or waiting for their next try included."""


async def renewed_leases(api: WorkerApi, queue: str, items: list[dict[str, Any]], seconds: int) -> set[int]:
    """The msg_ids that are still held, and now for so long."""
    asked = {"p_queue": queue, "p_items": items, "p_lease_seconds": seconds}
    return set(await api.rpc("extend_claims", asked))


async def length_of(api: WorkerApi, queue: str) -> int:
    rows = await api.rpc("queue_metrics")
    return int(next((row["length"] for row in rows if row["queue"] == queue), 0))


def failed_item(key: Mapping[str, Any], failure: Failure) -> dict[str, Any]:
    """A failure as the RPCs take it."""
    item = {**key, "kind": KINDS[type(failure)], "error": failure.error[:1000]}
    if isinstance(failure, Retryable) and failure.retry_after is not None:
        item["retry_after_seconds"] = round(failure.retry_after)
    return item


def outcomes_of(rows: list[dict[str, Any]]) -> dict[int, str]:
    return {row["msg_id"]: row["outcome"] for row in rows}
