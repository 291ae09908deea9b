"""The mailbox over its real protocols: SMTP in, HTTP out."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest

from scripts.stack.layout import HOST, REPOSITORY, Ports
from tests.py.support import wait_until


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """The ports of a mailbox that this module has to itself."""
    chosen = Ports.free()
    command = [sys.executable, "-m", "scripts.stack.mailbox"]
    command += ["--folder", str(tmp_path_factory.mktemp("mail"))]
    command += ["--smtp-port", str(chosen.smtp), "--http-port", str(chosen.mailbox_http)]
    with subprocess.Popen(command, cwd=REPOSITORY) as server:
        wait_until(lambda: alive(chosen))
        yield chosen
        server.terminate()


def alive(ports: Ports) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{ports.mailbox_http}/livez", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def mailbox(ports: Ports) -> Iterator[httpx.Client]:
    """The mailbox's web side, emptied."""
    with httpx.Client(base_url=f"http://{HOST}:{ports.mailbox_http}", trust_env=False) as client:
        client.delete("/api/v1/messages").raise_for_status()
        yield client


def send(ports: Ports, subject: str, *, to: str = "Ann <ann@example.com>", hidden: str | None = None) -> None:
    message = EmailMessage()
    message["From"] = "Freehold <office@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@example.com>"
    message.set_content("Your lease ends.")
    message.add_alternative("<p>Your <b>lease</b> ends.<script>alert(1)</script></p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="lease.pdf")
    with smtplib.SMTP(HOST, ports.smtp) as smtp:
        smtp.send_message(message, to_addrs=[to, *([hidden] if hidden else [])])


def test_a_mail_is_listed_as_mailpit_lists_it(ports: Ports, mailbox: httpx.Client) -> None:
    send(ports, "Lease ends: Zimmer für Anna", hidden="boss@example.com")
    page = mailbox.get("/api/v1/messages").raise_for_status().json()
    assert (page["total"], page["count"], page["start"]) == (1, 1, 0)
    [mail] = page["messages"]
    assert mail["Subject"] == "Lease ends: Zimmer für Anna"
    assert mail["MessageID"] == "1@example.com"
    assert mail["From"] == {"Name": "Freehold", "Address": "office@example.com"}
    assert mail["To"] == [{"Name": "Ann", "Address": "ann@example.com"}]
    assert mail["Bcc"] == [{"Name": "", "Address": "boss@example.com"}]
    assert mail["Snippet"] == "Your lease ends."
    assert mail["Attachments"] == 1


def test_a_mail_is_shown_in_full(ports: Ports, mailbox: httpx.Client) -> None:
    send(ports, "Lease ends")
    [listed] = mailbox.get("/api/v1/messages").json()["messages"]
    shown = mailbox.get(f"/api/v1/message/{listed['ID']}").json()
    assert shown["Text"].strip() == "Your lease ends."
    assert "<b>lease</b>" in shown["HTML"]
    assert shown["Attachments"] == [{"FileName": "lease.pdf", "ContentType": "application/pdf"}]
    headers = mailbox.get(f"/api/v1/message/{listed['ID']}/headers").json()
    assert headers["Subject"] == ["Lease ends"]
    assert mailbox.get(f"/api/v1/message/{listed['ID']}/raw").text.startswith("From: Freehold")


def test_pages_show_the_mail_and_run_none_of_its_scripts(ports: Ports, mailbox: httpx.Client) -> None:
    send(ports, "<i>Lease</i> ends")
    [listed] = mailbox.get("/api/v1/messages").json()["messages"]
    assert "&lt;i&gt;Lease&lt;/i&gt; ends" in mailbox.get("/").text
    page = mailbox.get(f"/view/{listed['ID']}")
    assert "&lt;i&gt;Lease&lt;/i&gt; ends" in page.text
    assert "<script>" not in page.text
    html = mailbox.get(f"/view/{listed['ID']}.html")
    assert html.headers["content-security-policy"] == "sandbox"


def test_search_and_pages_of_a_list(ports: Ports, mailbox: httpx.Client) -> None:
    for number in range(3):
        send(ports, f"Notice {number}", to=f"renter{number}@example.com")
    found = mailbox.get("/api/v1/search", params={"query": "to:renter1@example.com"}).json()
    assert [mail["Subject"] for mail in found["messages"]] == ["Notice 1"]
    second = mailbox.get("/api/v1/messages", params={"start": 1, "limit": 1}).json()
    assert [mail["Subject"] for mail in second["messages"]] == ["Notice 1"]
    assert second["total"] == 3


def test_chosen_mails_are_deleted(ports: Ports, mailbox: httpx.Client) -> None:
    for subject in ("keep", "drop"):
        send(ports, subject)
    newest = mailbox.get("/api/v1/messages").json()["messages"][0]
    mailbox.request("DELETE", "/api/v1/messages", json={"IDs": [newest["ID"]]}).raise_for_status()
    assert [mail["Subject"] for mail in mailbox.get("/api/v1/messages").json()["messages"]] == ["keep"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/message/nothing", 404),
        ("GET", "/api/v1/messages?limit=many", 400),
        ("GET", "/x", 404),
    ],
)
def test_wrong_requests_are_refused(mailbox: httpx.Client, method: str, path: str, status: int) -> None:
    assert mailbox.request(method, path).status_code == status


def test_senders_with_a_password_are_let_in(ports: Ports, mailbox: httpx.Client) -> None:
    with smtplib.SMTP(HOST, ports.smtp) as smtp:
        smtp.login("freehold", "any password")
        smtp.sendmail("a@example.com", ["b@example.com"], b"Subject: let in\r\n\r\n")
    assert mailbox.get("/api/v1/messages").json()["messages"][0]["Subject"] == "let in"
