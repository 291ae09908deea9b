"""A check of a property's address, and the RPCs about claims of such checks, typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from workers.places.provider import Address
from workers.queue.claims import Claim, Failure, failed_item, length_of, outcomes_of, renewed_leases
from workers.queue.outcomes import Answered, Done, Unavailable
from workers.supabase_api import WorkerApi

QUEUE = "compliance"


@dataclass(frozen=True)
class AddressCheck:
    """verify: is the address known? renew: is the place id still good? locate: where is the place?"""

    id: str
    workspace_id: str
    property_id: str
    kind: Literal["verify", "renew", "locate"]
    address: Address = field(repr=False)
    place_id: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> AddressCheck:
        """From the database's JSON; a newer database may say more than we know."""
        names = ("id", "workspace_id", "property_id", "kind", "place_id")
        return cls(**{name: row[name] for name in names}, address=Address(**row["address"]))

    def described(self) -> Mapping[str, Any]:
        return {"check_id": self.id, "kind": self.kind, "property_id": self.property_id}


class CheckQueue:
    """The queue of address checks. `provider` is who will be asked: its calls are counted and limited."""

    noun = "address check"

    def __init__(self, api: WorkerApi, *, provider: str, lease_seconds: int) -> None:
        self._api = api
        self._provider = provider
        self.lease_seconds = lease_seconds

    async def claim(self, limit: int, *, patient: bool = True) -> list[Claim[AddressCheck]]:
        rows = await self._api.rpc(
            "claim_address_checks",
            {"p_limit": limit, "p_lease_seconds": self.lease_seconds},
            deadline=None if patient else 0,
        )
        return [Claim(row["msg_id"], row["read_ct"], AddressCheck.of(row["check"])) for row in rows]

    async def begin(self, claim: Claim[AddressCheck]) -> bool | None:
        """False: the claim is lost. None: the workspace has used up a limit, and the check waits for it."""
        asked = {"p_msg_id": claim.msg_id, "p_read_ct": claim.read_ct, "p_provider": self._provider}
        begun: bool | None = await self._api.rpc(
            "begin_address_check", {**asked, "p_lease_seconds": self.lease_seconds}
        )
        return begun

    async def complete(self, done: Sequence[tuple[Claim[AddressCheck], Done]]) -> dict[int, str]:
        """By msg_id: what the database says became of each, `stale` included."""
        items = [
            {**claim.key, "result": {**outcome.result, "provider": self._provider}}
            for claim, outcome in done
            if isinstance(outcome, Answered)
        ]
        return outcomes_of(await self._api.rpc("complete_address_checks", {"p_items": items}))

    async def fail(self, failures: Sequence[tuple[Claim[AddressCheck], Failure]]) -> dict[int, str]:
        """retry, failed or stale, by msg_id."""
        items = [failed_item(claim.key, failure) for claim, failure in failures]
        return outcomes_of(await self._api.rpc("fail_address_checks", {"p_items": items}))

    async def extend(self, claims: Iterable[Claim[AddressCheck]]) -> set[int]:
        items = [claim.key for claim in claims]
        return await renewed_leases(self._api, QUEUE, items, self.lease_seconds)

    async def release(self, released: Sequence[tuple[Claim[AddressCheck], Unavailable]]) -> None:
        items = [{**claim.key, "spent": reason.spent} for claim, reason in released]
        await self._api.rpc("release_address_checks", {"p_items": items})

    async def length(self) -> int:
        return await length_of(self._api, QUEUE)
