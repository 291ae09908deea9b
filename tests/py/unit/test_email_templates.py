"""What recipients read: every template in all its variants, its parts complete and its HTML fresh."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import UndefinedError

from scripts import templates
from workers.email import filters
from workers.email.render import TEMPLATES, Rendered, UnknownTemplate, render

SITE = "https://app.example.com"

LEASE: dict[str, Any] = {
    "workspace_name": "Elm Street Homes",
    "recipient_name": None,
    "lease_number": "L-1042",
    "property_name": "Maple Court",
    "unit_numbers": ["3B", "4A"],
    "tenant_names": ["Ana Díaz", "Ben Ito"],
    "ends_on": "2027-01-31",
    "days_left": 60,
    "notice_deadline_on": "2026-12-02",
    "threshold": "days_60",
}
INVITATION: dict[str, Any] = {
    "workspace_name": "Elm Street Homes",
    "kind": "member",
    "role": "manager",
    "invited_by_email": "ana@example.com",
    "expires_at": "2026-11-28T05:00:00.123456+02:00",
    "token": "tok+en/=",
}
LINK = "https://app.example.com/invitations/accept?token=tok%2Ben%2F%3D"


class Page(HTMLParser):
    """What a reader sees and where they can click."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self._hidden = 0
        self.feed(html)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._hidden += tag in ("style", "title")
        if tag == "a":
            self.links.append(values.get("href") or "")
        elif source := values.get("src") or values.get("href"):
            self.fetched.append(source)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def lease(**changes: Any) -> Rendered:
    return render("lease_expiry", {**LEASE, **changes}, site_url=SITE)


def invitation(**changes: Any) -> Rendered:
    return render("invitation", {**INVITATION, **changes}, site_url=SITE)


def test_a_lease_notice_says_which_lease_where_and_when() -> None:
    notice = lease()
    assert notice.subject == "Lease L-1042, Maple Court, ends in 60 days"
    for part in (re.sub(r"\s+", " ", notice.text), Page(notice.html).text):
        for words in (
            "Lease L-1042 ends in 60 days",
            "Maple Court",
            "3B and 4A",
            "Ana Díaz and Ben Ito",
            "January 31, 2027, in 60 days",
            "December 2, 2026",
            "Elm Street Homes",
        ):
            assert words in part


@pytest.mark.parametrize("name", ["Maple\nCourt", "Maple\r\nCourt", "Maple\u2028Court", "Maple\x0bCourt"])
def test_a_name_of_two_lines_stands_on_one_in_the_subject(name: str) -> None:
    assert lease(property_name=name).subject == "Lease L-1042, Maple Court, ends in 60 days"


def test_on_the_notice_deadline_the_notice_is_about_that_day() -> None:
    notice = lease(threshold="notice_deadline")
    assert notice.subject == "Last day for notice on lease L-1042, Maple Court: December 2, 2026"
    sentence = "December 2, 2026 is the last day for giving notice on lease L-1042"
    assert sentence in notice.text and sentence in Page(notice.html).text


def test_what_a_lease_lacks_leaves_no_gap() -> None:
    notice = lease(unit_numbers=[], tenant_names=[], notice_deadline_on=None)
    for part in (notice.text, Page(notice.html).text):
        assert not re.search(r"Unit|Renter|Notice by|None", part)


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ({"kind": "member"}, "ana@example.com invites you to work in Elm Street Homes as manager."),
        (
            {"kind": "renter", "role": None},
            "ana@example.com invites you to see your lease with Elm Street Homes online.",
        ),
        (
            {"kind": "vendor", "role": None},
            "ana@example.com invites you to receive work orders from Elm Street Homes.",
        ),
    ],
)
def test_an_invitation_says_who_invites_whom_to_what(who: dict[str, Any], sentence: str) -> None:
    mail = invitation(**who)
    assert mail.subject == "Invitation to Elm Street Homes"
    assert sentence in mail.text and sentence in Page(mail.html).text
    assert "November 28, 2026, 03:00 UTC" in mail.text


def test_the_token_is_escaped_in_the_link_of_both_parts() -> None:
    mail = invitation()
    assert LINK in mail.text
    assert Page(mail.html).links == [LINK, LINK]


@pytest.mark.parametrize("mail", [lease(), invitation()], ids=["lease_expiry", "invitation"])
def test_a_mail_fetches_nothing_and_fits_into_gmail(mail: Rendered) -> None:
    assert Page(mail.html).fetched == []
    assert not re.search(r"@import|url\(", mail.html)
    assert len(mail.html.encode()) < 102_000
    assert max(len(line) for line in mail.text.splitlines()) < 120
    assert not re.search(r"\{[{%]|[%}]\}", mail.html + mail.text + mail.subject)


def test_names_are_text_in_html_and_themselves_elsewhere() -> None:
    name = "<script>alert(1)</script> & Söhne"
    notice = lease(property_name=name)
    assert "<script>" not in notice.html and "&lt;script&gt;" in notice.html
    assert name in notice.text and name in notice.subject


@pytest.mark.parametrize("missing", sorted(set(LEASE) - {"recipient_name"}))
def test_a_payload_that_lacks_a_field_is_an_error_not_an_empty_place(missing: str) -> None:
    payload = {name: value for name, value in LEASE.items() if name != missing}
    threshold = "notice_deadline" if missing == "notice_deadline_on" else "days_60"
    with pytest.raises(UndefinedError):
        render(
            "lease_expiry",
            {"threshold": threshold, **payload} if missing != "threshold" else payload,
            site_url=SITE,
        )


@pytest.mark.parametrize("name", ["nonsense", "../render", "_head"])
def test_a_template_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(UnknownTemplate, match=re.escape(repr(name))):
        render(name, LEASE, site_url=SITE)


def test_every_template_is_complete() -> None:
    names = {path.name.split(".")[0] for path in TEMPLATES.iterdir() if not path.name.startswith("_")}
    assert names == {"lease_expiry", "invitation"}
    for name in names:
        for part in ("mjml", "html", "txt", "subject.txt"):
            assert (TEMPLATES / f"{name}.{part}").is_file()


def test_the_committed_html_is_what_its_source_compiles_to() -> None:
    for source in TEMPLATES.glob("[!_]*.mjml"):
        assert source.with_suffix(".html").read_text() == templates.compiled(source), source.name


def test_the_check_fails_when_a_source_has_changed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "TEMPLATES", tmp_path)
    (tmp_path / "note.mjml").write_text("<mjml><mj-body></mj-body></mjml>")
    assert templates.main(["--check"]) == 1
    assert not (tmp_path / "note.html").exists()
    assert templates.main([]) == 0
    assert templates.main(["--check"]) == 0
    (tmp_path / "note.mjml").write_text("<mjml><mj-body><mj-raw>new</mj-raw></mj-body></mjml>")
    assert templates.main(["--check"]) == 1


def test_dates_and_lists_read_the_same_on_every_machine() -> None:
    assert filters.long_date("2028-02-29") == "February 29, 2028"
    assert filters.long_time("2026-12-31T23:30:00-02:00") == "January 1, 2027, 01:30 UTC"
    assert [filters.enumerated(list("abcd"[:n])) for n in range(5)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c and d",
    ]
    assert [filters.days(n) for n in (-2, -1, 0, 1, 30)] == [
        "2 days ago",
        "1 day ago",
        "today",
        "tomorrow",
        "in 30 days",
    ]
