"""What every mail provider is to the rest: something that takes a mail, or says why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from workers.queue.handler import Begin
from workers.queue.outcomes import Outcome


@dataclass(frozen=True)
class Mail:
    """A finished mail. `idempotency_key` is the same on every try, for providers that collapse repeats."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)
    idempotency_key: str
    needs_smtputf8: bool = False


class EmailProvider(Protocol):
    async def send(self, mail: Mail, begin: Begin) -> Outcome:
        """Hand the mail over. Awaits `begin` when all is ready and nothing has left; its errors pass."""

    async def check(self) -> str:
        """Talk to the provider without sending; what it calls itself. Raises OSError with the reason."""

    async def aclose(self) -> None: ...
