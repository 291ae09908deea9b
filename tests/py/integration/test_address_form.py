"""The example form in a browser: typed, chosen, saved with coordinates; saved, too, when search fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect, sync_playwright
from psycopg.types.json import Jsonb

from scripts.example import EXAMPLES, SUPABASE_JS, query, site
from scripts.stack.layout import Stack
from tests.py.google_maps import KEY, STORM, GoogleMaps, place
from tests.py.integration.landlord import Landlord
from tests.py.serving import serving
from tests.py.unit.edge_process import running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing: `apt-get install chromium`"),
    pytest.mark.skipif(not SUPABASE_JS.exists(), reason="supabase-js is missing: `npm ci`"),
]


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """Where the example is served."""
    with serving(site(EXAMPLES / "address-form")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def started(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, GoogleMaps]]:
    google = GoogleMaps()
    with serving(google) as url:
        variables = {
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.keys.worker_key,
            "GOOGLE_MAPS_API_KEY": KEY,
            "GOOGLE_PLACES_URL": url,
        }
        with running(stack.api_url, tmp_path_factory.mktemp("edge"), **variables) as edge:
            yield edge.url, google


@pytest.fixture
def google(started: tuple[str, GoogleMaps]) -> GoogleMaps:
    _, google = started
    google.__init__()  # type: ignore[misc]  # as new
    for number in ("123", "125"):
        google.places[f"ChIJmain{number}"] = place(f"ChIJmain{number}", number, "Main Street")
    return google


@contextmanager
def opened(browser: Browser, url: str, landlord: Landlord) -> Iterator[Page]:
    """The form, signed in. No error on the page's console is let pass."""
    errors: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_label("E-mail").fill(landlord.owner.email)
    page.get_by_label("Password").fill(landlord.owner.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name").fill("Main Street")
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(
    stack: Stack,
    pages: str,
    browser: Browser,
    started: tuple[str, GoogleMaps],
    google: GoogleMaps,
    landlord: Landlord,
) -> Iterator[Page]:
    """The form beside an edge service that asks Google."""
    edge, _ = started
    with opened(browser, f"{pages}/?{query(stack)}&{urlencode({'edge': edge})}", landlord) as page:
        yield page


def saved(landlord: Landlord) -> dict[str, Any]:
    columns = (
        "address_line1,address_line2,city,state,postal_code,place_id,timezone,address_status,coordinates"
    )
    rows: list[dict[str, Any]] = landlord.api.get(
        f"/rest/v1/properties?name=eq.Main Street&select={columns}"
    ).json()
    [row] = rows
    return row


def save_by_hand(page: Page) -> None:
    page.get_by_label("Street and number").fill("9 Elm Street")
    page.get_by_label("City").fill("Austin")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#outcome")).to_have_text("Saved as unverified.")


@dataclass
class Held:
    """Answers to the page that wait to be handed on."""

    page: Page
    answers: list[tuple[Route, APIResponse]] = field(default_factory=list)

    def __call__(self, route: Route) -> None:
        self.answers.append((route, route.fetch()))

    def come(self, count: int) -> None:
        for _ in range(500):
            if len(self.answers) == count:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{len(self.answers)} of {count} answers came")

    def hand_on(self) -> None:
        """What the page gave up meanwhile goes nowhere."""
        for route, answer in self.answers:
            route.fulfill(response=answer)
        # By the time another answer has come back, the page has dealt with these.
        self.page.evaluate("fetch(location.href).then(() => null)")


def hold(page: Page, what: str) -> Held:
    held = Held(page)
    page.route(what, held)
    return held


def choose(page: Page, typed: str) -> None:
    search = page.get_by_role("combobox", name="Find the address")
    search.fill("")
    search.press_sequentially(typed)
    page.get_by_role("option").click()


def test_a_choice_that_is_answered_late_does_not_undo_the_next(page: Page) -> None:
    held = hold(page, "**/places/details")
    choose(page, "123 main")
    held.come(1)
    page.route("**/places/details", lambda route: route.continue_())
    choose(page, "125 main")
    expect(page.get_by_label("Street and number")).to_have_value("125 Main Street")
    held.hand_on()
    expect(page.get_by_label("Street and number")).to_have_value("125 Main Street")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#outcome")).to_have_text("Saved as verified at 39.7817, -89.6501.")


def test_a_late_answer_never_overwrites_what_is_typed_by_hand(page: Page, landlord: Landlord) -> None:
    held = hold(page, "**/places/details")
    choose(page, "123 main")
    held.come(1)
    page.get_by_label("Street and number").fill("9 Elm Street")
    held.hand_on()
    expect(page.get_by_label("City")).to_have_value("")
    save_by_hand(page)
    assert saved(landlord)["place_id"] is None


def test_suggestions_that_come_late_don_t_cover_the_field_that_has_the_focus(page: Page) -> None:
    held = hold(page, "**/places/autocomplete")
    search = page.get_by_role("combobox", name="Find the address")
    search.press_sequentially("123 main")
    held.come(1)
    page.get_by_label("City").focus()
    held.hand_on()
    expect(page.locator("#search-note")).to_have_text("1 suggestion.")
    expect(page.locator("#list")).to_be_hidden()
    search.press("ArrowDown")
    expect(page.get_by_role("option")).to_have_attribute("aria-selected", "true")


def test_letters_that_come_while_a_session_is_opened_share_it(page: Page, google: GoogleMaps) -> None:
    held = hold(page, "**/places/sessions")
    page.clock.install()
    search = page.get_by_role("combobox", name="Find the address")
    for letters in ("123 m", "ain"):
        search.press_sequentially(letters)
        page.clock.run_for(300)
        held.come(1)
    held.hand_on()
    expect(page.get_by_role("option")).to_have_count(1)
    assert len(held.answers) == 1
    assert [asked.body["input"] for asked in google.of("autocomplete")] == ["123 main"]


def test_clicking_twice_saves_one_property(page: Page, landlord: Landlord) -> None:
    held = hold(page, "**/rest/v1/properties*")
    page.get_by_label("Street and number").fill("9 Elm Street")
    page.get_by_label("City").fill("Austin")
    page.get_by_role("button", name="Save").dblclick()
    held.come(1)
    page.get_by_role("button", name="Save").click()
    held.hand_on()
    expect(page.locator("#outcome")).to_have_text("Saved as unverified.")
    assert saved(landlord)["address_line1"] == "9 Elm Street"


def test_a_suggestion_is_text_whatever_is_in_it(page: Page, google: GoogleMaps) -> None:
    street = "<img src=x onerror=alert(1)> Street"
    google.places["ChIJx"] = place("ChIJx", "7", street)
    page.get_by_role("combobox", name="Find the address").press_sequentially("7 <img")
    option = page.get_by_role("option")
    expect(option).to_contain_text(f"7 {street}")
    expect(option.locator("img")).to_have_count(0)
    option.click()
    expect(page.get_by_label("Street and number")).to_have_value(f"7 {street}")


def test_with_the_edge_service_away_the_address_is_typed(
    stack: Stack, pages: str, browser: Browser, landlord: Landlord
) -> None:
    with opened(browser, f"{pages}/?{query(stack)}&edge=http://127.0.0.1:1", landlord) as page:
        page.get_by_role("combobox", name="Find the address").press_sequentially("9 elm street")
        expect(page.locator("#search-note")).to_have_text(
            "Suggestions are not available: type the address below."
        )
        save_by_hand(page)
    assert saved(landlord)["address_status"] == "unverified"


def test_a_page_that_was_not_told_the_key_says_so(pages: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(pages)
    expect(page.locator("#outcome")).to_contain_text("make example")
    expect(page.get_by_label("Password")).to_be_hidden()
    page.close()


def test_with_the_api_away_signing_in_says_so(pages: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{pages}/?api=http://127.0.0.1:1&key=x")
    page.get_by_label("E-mail").fill("manager@maple.test")
    page.get_by_label("Password").fill("maple-and-main")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#outcome")).to_have_text("http://127.0.0.1:1 doesn't answer. Is it up?")
    page.close()


def test_typed_chosen_by_keyboard_and_saved_with_coordinates(
    page: Page, google: GoogleMaps, landlord: Landlord
) -> None:
    search = page.get_by_role("combobox", name="Find the address")
    search.press_sequentially("main street", delay=20)
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(page.get_by_text("Google Maps")).to_be_visible()
    # Eleven letters in a row are one call.
    assert [asked.body["input"] for asked in google.of("autocomplete")] == ["main street"]
    for key, chosen in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowDown", 0), ("ArrowUp", 1)):
        search.press(key)
        expect(options.nth(chosen)).to_have_attribute("aria-selected", "true")
        expect(search).to_have_attribute("aria-activedescendant", f"suggestion-{chosen}")
    search.press("Enter")
    expect(page.get_by_label("Street and number")).to_have_value("125 Main Street")
    expect(search).to_have_attribute("aria-expanded", "false")
    page.get_by_label("Apartment, unit").fill("#4")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#outcome")).to_have_text("Saved as verified at 39.7817, -89.6501.")
    row = saved(landlord)
    assert row.pop("coordinates")["source"] == "google"
    assert row == {
        "address_line1": "125 Main Street",
        "address_line2": "#4",
        "city": "Springfield",
        "state": "IL",
        "postal_code": "62701",
        "place_id": "ChIJmain125",
        "timezone": "America/Chicago",
        "address_status": "verified",
    }
    assert len({asked.token for asked in google.asked}) == 1


def test_escape_closes_the_list_and_a_click_chooses(page: Page, google: GoogleMaps) -> None:
    search = page.get_by_role("combobox", name="Find the address")
    search.press_sequentially("123 main")
    expect(page.get_by_role("option")).to_have_count(1)
    search.press("Escape")
    expect(page.locator("#list")).to_be_hidden()
    search.press_sequentially(" ")
    page.get_by_role("option").click()
    expect(page.get_by_label("City")).to_have_value("Springfield")


def test_what_is_edited_after_the_choice_is_saved_as_unverified(page: Page, landlord: Landlord) -> None:
    page.get_by_role("combobox", name="Find the address").press_sequentially("123 main")
    page.get_by_role("option").click()
    street = page.get_by_label("Street and number")
    expect(street).to_have_value("123 Main Street")
    street.fill("123 Main Street, rear")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#outcome")).to_have_text("Saved as unverified.")
    row = saved(landlord)
    assert (row["address_line1"], row["place_id"]) == ("123 Main Street, rear", None)


def test_when_search_fails_the_address_is_typed_and_saved_as_unverified(
    page: Page, google: GoogleMaps, landlord: Landlord
) -> None:
    google.always["autocomplete"] = STORM
    page.get_by_role("combobox", name="Find the address").press_sequentially("9 elm street")
    expect(page.locator("#search-note")).to_have_text(
        "Suggestions are not available: type the address below."
    )
    # Whoever still types there goes on typing there.
    expect(page.get_by_role("combobox", name="Find the address")).to_be_focused()
    save_by_hand(page)
    row = saved(landlord)
    assert (row["address_line1"], row["address_status"], row["coordinates"]) == (
        "9 Elm Street",
        "unverified",
        None,
    )


def test_nothing_found_is_said(page: Page) -> None:
    page.get_by_role("combobox", name="Find the address").press_sequentially("nowhere at all")
    expect(page.locator("#search-note")).to_have_text("Nothing found: type the address below.")


def test_out_of_the_box_the_local_list_is_searched(
    stack: Stack, pages: str, browser: Browser, landlord: Landlord, stack_db: psycopg.Connection[Any]
) -> None:
    house = {
        "address_line1": "1600 Quillfeather Lane",
        "city": "Austin",
        "state": "TX",
        "postal_code": "78701",
        "country": "US",
        "latitude": 30.25,
        "longitude": -97.75,
    }
    stack_db.execute("select worker.add_addresses('form', now(), %s)", (Jsonb([house]),))
    with opened(browser, f"{pages}/?{query(stack)}", landlord) as page:
        page.get_by_role("combobox", name="Find the address").press_sequentially("1600 quilf")
        page.get_by_role("option", name="1600 Quillfeather Lane").click()
        expect(page.get_by_label("City")).to_have_value("Austin")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#outcome")).to_have_text("Saved as verified at 30.25, -97.75.")
    row = saved(landlord)
    assert row["place_id"].startswith("local:") and row["coordinates"]["source"] == "local"
