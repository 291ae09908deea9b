"""The SMTP provider against a real SMTP server that misbehaves on request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.py.chaos.mail_server import MailServer
from workers.email.provider import Mail
from workers.email.smtp import SmtpProvider
from workers.email.smtp_pool import SmtpPool
from workers.mail_server import MailServer as Address
from workers.queue.outcomes import ClaimLost, Outcome, Permanent, Retryable, Sent, Unavailable, Unknown


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def address(server: MailServer, tls: Any = "none") -> Address:
    return Address("127.0.0.1", server.port, None, None, tls)


def mail(to: str = "rae", *, body: bytes = b"hello\r\n", international: bool = False) -> Mail:
    content = b"Message-ID: <" + to.encode() + b"@mail.test>\r\n\r\n" + body
    return Mail("notices@example.com", f"{to}@example.com", content, to, needs_smtputf8=international)


class Begun:
    """Counts how often sending was begun; refuses it when the claim is lost."""

    def __init__(self, *, lost: bool = False) -> None:
        self.times = 0
        self._lost = lost

    async def __call__(self) -> None:
        self.times += 1
        if self._lost:
            raise ClaimLost


def using(at: Address, do: Callable[[SmtpProvider], Awaitable[Any]], **limits: float) -> Any:
    async def run() -> Any:
        data_timeout = limits.pop("data_timeout", 5)
        provider = SmtpProvider(SmtpPool(at, **{"timeout": 5, **limits}), data_timeout=data_timeout)  # type: ignore[arg-type]
        try:
            return await do(provider)
        finally:
            await provider.aclose()

    return asyncio.run(run())


def sent(at: Address, *mails: Mail, begun: Begun | None = None, **limits: Any) -> list[Outcome]:
    async def each(provider: SmtpProvider) -> list[Outcome]:
        return [await provider.send(one, begun or Begun()) for one in mails]

    outcomes: list[Outcome] = using(at, each, **limits)
    return outcomes


def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    body = b".a line that begins with a period\r\n..two\r\nend\r\n.\r\n"
    (outcome,) = sent(address(server), mail(body=body))
    assert outcome == Sent("taken")
    assert server.envelopes == [("notices@example.com", "rae@example.com")]
    assert server.mailbox[0].get_payload().encode() == body  # type: ignore[union-attr]


# The fault, and what it means: (outcome, how often sending was begun).
MEANINGS: dict[str, tuple[type[Any], int]] = {
    "rcpt_421": (Retryable, 0),
    "rcpt_451": (Retryable, 0),
    "rcpt_550": (Permanent, 0),
    "rcpt_drop": (Retryable, 0),
    "data_451": (Retryable, 1),
    "data_554": (Permanent, 1),
    "data_drop": (Retryable, 1),
    "content_451": (Retryable, 1),
    "content_552": (Permanent, 1),
    "content_drop": (Unknown, 1),
    "content_hang": (Unknown, 1),
}


@pytest.mark.parametrize("fault", MEANINGS)
def test_the_meaning_of_a_fault_and_when_sending_begins(server: MailServer, fault: str) -> None:
    server.faults.by_local_part["rae"] = fault
    begun = Begun()
    first, second = sent(address(server), mail("rae"), mail("ben"), begun=begun, data_timeout=0.3)
    meaning, times = MEANINGS[fault]
    assert type(first) is meaning
    assert begun.times == times + 1
    assert isinstance(second, Sent), "the next mail is not harmed"
    assert [to for _, to in server.envelopes if to.startswith("ben")] == ["ben@example.com"]


@pytest.mark.parametrize("code", ["421", "451", "550"])
def test_a_server_that_refuses_our_sender_refuses_no_mail(server: MailServer, code: str) -> None:
    server.faults.sender = code
    begun = Begun()
    (outcome,) = sent(address(server), mail(), begun=begun)
    assert isinstance(outcome, Unavailable) and code in outcome.error
    assert begun.times == 0


def test_a_lost_claim_sends_nothing_and_leaves_no_open_envelope(server: MailServer) -> None:
    async def lose_then_send(provider: SmtpProvider) -> Outcome:
        with pytest.raises(ClaimLost):
            await provider.send(mail("rae"), Begun(lost=True))
        return await provider.send(mail("ben"), Begun())

    assert isinstance(using(address(server), lose_then_send), Sent)
    assert server.envelopes == [("notices@example.com", "ben@example.com")]


def test_connections_are_kept_for_the_next_mail(server: MailServer) -> None:
    sent(address(server), *(mail(f"p{number}") for number in range(5)))
    assert len(server.mailbox) == 5 and server.connections == 1


def test_a_refused_recipient_does_not_cost_the_connection(server: MailServer) -> None:
    server.faults.by_local_part["rae"] = "rcpt_550"
    sent(address(server), mail("rae"), mail("ben"), mail("rae"), mail("ada"))
    assert len(server.mailbox) == 2 and server.connections == 1


def test_a_connection_is_replaced_after_so_many_mails(server: MailServer) -> None:
    sent(address(server), *(mail(f"p{number}") for number in range(5)), max_mails=2)
    assert len(server.mailbox) == 5 and server.connections == 3


@pytest.mark.parametrize("limit", ["max_age", "max_idle"])
def test_a_connection_that_is_too_old_or_idle_is_replaced(server: MailServer, limit: str) -> None:
    sent(address(server), mail("rae"), mail("ben"), **dict[str, Any]({limit: 0}))
    assert len(server.mailbox) == 2 and server.connections == 2


def test_a_connection_that_the_server_dropped_while_idle_is_replaced_unnoticed(server: MailServer) -> None:
    async def send_cut_send(provider: SmtpProvider) -> list[Outcome]:
        first = await provider.send(mail("rae"), Begun())
        server.cut_connections()
        return [first, await provider.send(mail("ben"), Begun())]

    first, second = using(address(server), send_cut_send)
    assert isinstance(first, Sent) and isinstance(second, Sent)
    assert server.connections == 2


def test_mails_sent_at_once_use_connections_of_their_own(server: MailServer) -> None:
    async def three_at_once(provider: SmtpProvider) -> None:
        server.go_on.clear()
        tasks = [asyncio.ensure_future(provider.send(mail(f"p{n}"), Begun())) for n in range(3)]
        while server.most_at_once < 3:
            await asyncio.sleep(0.01)
        server.go_on.set()
        await asyncio.gather(*tasks)

    using(address(server), three_at_once)
    assert len(server.mailbox) == 3 and server.connections == 3


def test_a_server_that_is_not_there_is_away() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        at = Address("127.0.0.1", nobody.getsockname()[1], None, None, "none")
        (outcome,) = sent(at, mail())
    assert isinstance(outcome, Unavailable) and "takes no mail" in outcome.error


def test_a_server_that_says_nothing_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = Address("127.0.0.1", silent.getsockname()[1], None, None, "none")
        (outcome,) = sent(at, mail(), timeout=0.2)
    assert isinstance(outcome, Unavailable)


def test_a_server_without_tls_gets_no_mail_where_tls_is_demanded(server: MailServer) -> None:
    (outcome,) = sent(address(server, "starttls"), mail())
    assert isinstance(outcome, Unavailable) and "STARTTLS" in outcome.error
    assert server.mailbox == []


def test_a_certificate_that_nobody_vouches_for_gets_no_mail() -> None:
    with MailServer(tls=True) as server:
        (outcome,) = sent(address(server, "starttls"), mail())
        assert isinstance(outcome, Unavailable) and "certificate" in outcome.error.lower()
        assert server.mailbox == []


@pytest.mark.parametrize("takes", [True, False])
def test_an_international_address_goes_where_it_is_taken(takes: bool) -> None:
    with MailServer(smtputf8=takes) as server:
        first, second = sent(address(server), mail("ráe", international=True), mail("ben"))
        assert isinstance(first, Sent if takes else Permanent)
        assert isinstance(second, Sent)
        assert [to for _, to in server.envelopes] == (["ráe@example.com"] if takes else []) + [
            "ben@example.com"
        ]


def test_check_says_how_it_is_connected(server: MailServer) -> None:
    said = using(address(server), lambda provider: provider.check())
    assert said == f"127.0.0.1:{server.port}, no TLS"
