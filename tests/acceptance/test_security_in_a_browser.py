"""How people sign in, in headless Chromium: passkeys with its virtual authenticator, an app's codes, a forgotten
password; by keyboard and without a script.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Page, expect

from telltale.demo_data import PASSWORD
from tests.acceptance.conftest import World
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
ADVISOR = "advisor@nordlicht.example"


class Visitor:
    """Somebody with a browser; what the console complains of fails the test, but for refusals that the test
    provokes.
    """

    def __init__(self, browser: Any, url: str) -> None:
        self.browser, self.url = browser, url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    async def page(self, size: dict[str, int] = DESK, **more: Any) -> Page:
        context = await self.browser.new_context(viewport=size, base_url=self.url, **more)
        self.contexts.append(context)
        page: Page = await context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on(
            "console",
            lambda complaint: (
                self.complaints.append(complaint.text)
                if complaint.type == "error" and "status of 4" not in complaint.text
                else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def authenticator(self, page: Page, *, verifies: bool = True) -> Any:
        """A phone, a laptop or a key on a ring, made by the browser itself. Its session, to talk to it."""
        talk = await page.context.new_cdp_session(page)
        await talk.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies,
        }
        made = await talk.send(
            "WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}}
        )
        return talk, made["authenticatorId"]

    async def sign_in(self, page: Page, email: str = ADVISOR, password: str = PASSWORD) -> None:
        await page.goto("/sign-in")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(password)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")


@pytest.fixture
async def visitor(browser: Any, world: World) -> AsyncIterator[Visitor]:
    made = Visitor(browser, world.url)
    yield made
    for context in made.contexts:
        await context.close()
    assert made.complaints == []


async def add_passkey(page: Page, label: str) -> list[str]:
    await page.goto("/security")
    await page.get_by_text("Add a passkey").click()
    box = page.locator('[data-passkey="add"]')
    await box.get_by_label("Call it").fill(label)
    await box.get_by_label("Your password").fill(PASSWORD)
    await box.get_by_role("button", name="Add it").click()
    await expect(
        page.get_by_text("Added. Your recovery codes").or_(page.get_by_text(label, exact=True)).first
    ).to_be_visible()
    return await page.locator(".new-codes li").all_inner_texts()


async def test_a_passkey_is_added_and_signs_in_without_a_password(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await visitor.authenticator(page)
    await visitor.sign_in(page)
    await page.wait_for_url(re.compile("/queue$"))
    codes = await add_passkey(page, "Anna's phone")
    assert len(codes) == 10 and all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", code) for code in codes)
    await page.get_by_role("link", name="I have them").click()
    await expect(page.get_by_role("region", name="Second factor")).to_contain_text("Anna's phone")

    await page.context.clear_cookies()
    await page.goto("/sign-in?next=/vehicles")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(re.compile("[0-9]/vehicles$"))
    async with world.admin.acquire() as connection:
        row = await connection.fetchrow("SELECT proof, second_factor FROM sessions ORDER BY created_at DESC LIMIT 1")
        assert tuple(row) == ("passkey", True)
        told = [
            one["new"] for one in await connection.fetch("SELECT new FROM history WHERE noun = 'staff' ORDER BY id")
        ]
    assert told[-2:] == ["passkey added", "signed in"]


async def test_after_a_password_the_passkey_is_the_second_half_and_another_s_is_none(
    world: World, visitor: Visitor
) -> None:
    page = await visitor.page()
    await visitor.authenticator(page)
    await visitor.sign_in(page)
    await page.wait_for_url(re.compile("/queue$"))
    await add_passkey(page, "Laptop")
    await page.context.clear_cookies()
    await visitor.sign_in(page)
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.get_by_role("button", name="Use my passkey").click()
    await page.wait_for_url(re.compile("/queue$"))

    stranger = await visitor.page()  # knows Anna's password, and has a passkey of their own
    await visitor.authenticator(stranger)
    await visitor.sign_in(stranger, "technician@nordlicht.example")
    await stranger.wait_for_url(re.compile("/workshop$"))
    await add_passkey(stranger, "Theirs")
    await stranger.context.clear_cookies()
    await visitor.sign_in(stranger)
    await stranger.get_by_role("button", name="Use my passkey").click()
    await expect(stranger.get_by_role("alert").filter(has_text="Nothing was confirmed")).to_be_visible()
    async with world.admin.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sessions WHERE proof = 'password and passkey'") == 1


async def test_a_passkey_that_does_not_know_whose_it_is_does_not_sign_in_alone(world: World, visitor: Visitor) -> None:
    """Found in the street it is one thing, not two: without finger, face or PIN there is no sign-in without a
    password.
    """
    page = await visitor.page()
    talk, one = await visitor.authenticator(page)
    await visitor.sign_in(page)
    await page.wait_for_url(re.compile("/queue$"))
    await add_passkey(page, "Key")
    await talk.send("WebAuthn.setUserVerified", {"authenticatorId": one, "isUserVerified": False})
    await page.context.clear_cookies()
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("alert").filter(has_text="Nothing was confirmed")).to_be_visible()
    assert page.url.endswith("/sign-in")


async def test_a_removed_passkey_opens_nothing(world: World, visitor: Visitor) -> None:
    page = await visitor.page()
    await visitor.authenticator(page)
    await visitor.sign_in(page)
    await page.wait_for_url(re.compile("/queue$"))
    await add_passkey(page, "Old phone")
    await page.goto("/security")
    await page.get_by_text("Remove the passkey Old phone").locator("..").click()
    await page.locator('form[action="/security/passkeys/remove"]').get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("status").first).to_contain_text("opens nothing any more")
    await page.context.clear_cookies()
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("alert").filter(has_text="not one that we know")).to_be_visible()


async def test_a_challenge_counts_once_and_for_its_own_purpose(world: World, visitor: Visitor) -> None:
    """What was signed for one sign-in, caught on the way and sent again, opens nothing."""
    page = await visitor.page()
    await visitor.authenticator(page)
    await visitor.sign_in(page)
    await page.wait_for_url(re.compile("/queue$"))
    await add_passkey(page, "Phone")
    await page.context.clear_cookies()
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(request.post_data or "") if request.url.endswith("/sign-in/passkey") else None,
    )
    await page.goto("/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(re.compile("/queue$"))
    for body in (
        sent[0],
        sent[0].replace('"seal":"', '"seal":"A'),
        "{}",
        '{"seal": "x", "credential": {"id": "AA"}}',
        '{"seal": "..", "credential": {}}',
    ):
        again = await page.request.post(
            "/sign-in/passkey", data=body, headers={"Content-Type": "application/json", "Cookie": ""}
        )
        assert again.status in (401, 422) and "set-cookie" not in again.headers, body[:60]


async def test_an_app_is_connected_and_its_code_asked_for_all_without_a_script(world: World, visitor: Visitor) -> None:
    page = await visitor.page(PHONE, java_script_enabled=False)
    await visitor.sign_in(page)
    await page.goto("/security")
    await expect(page.get_by_text("needs JavaScript in this browser")).to_be_visible()
    await page.get_by_text("Connect an app").click()
    form = page.locator('form[action="/security/authenticator"]')
    await form.get_by_label("Your password").fill(PASSWORD)
    await form.get_by_role("button", name="Go on").click()
    await expect(page.locator("svg.qr")).to_be_visible()
    app = pyotp.TOTP((await page.locator(".scan .mono").inner_text()).replace(" ", ""))
    now = world.house.machine()
    await page.get_by_role("textbox", name="Code").fill(app.at(now))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = await page.locator("ol.codes li").all_inner_texts()
    assert len(codes) == 10
    await page.context.clear_cookies()
    await visitor.sign_in(page)
    await page.get_by_role("textbox", name="Code of your app").fill(codes[0])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("9 are left")


async def test_a_forgotten_password_comes_by_the_demo_phone_and_is_chosen_anew(world: World, visitor: Visitor) -> None:
    page = await visitor.page(PHONE)
    await page.goto("/sign-in")
    await page.get_by_role("link", name="Forgotten your password?").click()
    await page.get_by_label("E-mail").fill(ADVISOR)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Look into your mail, or at your phone")).to_be_visible()
    await world.house.afterwards.done()
    async with world.admin.acquire() as connection:
        body = await connection.fetchval("SELECT body FROM messages WHERE kind = 'staff_reset'")
    await page.goto(re.search(r"/reset/\S+", body)[0])  # type: ignore[index]
    await page.get_by_label("New password").fill("password1234")
    await page.get_by_label("The same again").fill("password1234")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("several words")
    await page.get_by_label("New password").fill("seven quiet herons")
    await page.get_by_label("The same again").fill("seven quiet herons")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your new password is set")).to_be_visible()
    await visitor.sign_in(page, password="seven quiet herons")
    await page.wait_for_url(re.compile("/queue$"))


@pytest.mark.parametrize(("size", "dark"), ((DESK, False), (PHONE, True)), ids=("desk-light", "phone-dark"))
async def test_the_pages_of_signing_in_are_accessible_and_never_scroll_sideways(
    world: World, visitor: Visitor, size: dict[str, int], dark: bool
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (./test installs it with npm)")
    page = await visitor.page(size, color_scheme="dark" if dark else "light", bypass_csp=True)
    await visitor.authenticator(page)
    found: list[str] = []

    async def look(what: str) -> None:
        await page.add_script_tag(path=AXE)
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found.extend(f"{what}: {v['id']}: {v['nodes'][0]['html'][:140]}" for v in result["violations"])
        width = await page.evaluate("document.documentElement.scrollWidth")
        found.extend([f"{what}: {width} px wide"] if width > size["width"] else [])

    await visitor.sign_in(page)
    await add_passkey(page, "My phone")
    await look("codes of the first passkey")
    await page.goto("/security")
    for summary in await page.locator("summary").all():
        await summary.click()
    await look("security, all open")
    form = page.locator('form[action="/security/authenticator"]')
    await form.get_by_label("Your password").fill(PASSWORD)
    await form.get_by_role("button").click()
    await look("authenticator")
    await page.goto("/security")
    await page.locator('form[action="/security/codes"]').locator("..").locator("summary").click()
    await page.locator('form[action="/security/codes"]').get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Make new codes").click()
    await look("recovery codes")
    await page.context.clear_cookies()
    await visitor.sign_in(page)
    await look("one more step")
    for address in ("/forgotten", "/reset/nothing"):
        await page.goto(address)
        await look(address)
    assert found == []


async def test_an_open_page_goes_to_the_sign_in_when_it_was_signed_out_elsewhere(
    world: World, visitor: Visitor
) -> None:
    open_page, elsewhere = await visitor.page(), await visitor.page()
    for page in (open_page, elsewhere):
        await visitor.sign_in(page)
    async with open_page.expect_response("**/events"):
        await open_page.goto("/vehicles?search=Alba")
    await elsewhere.goto("/security")
    await elsewhere.get_by_role("button", name="Sign out everywhere else").click()
    await open_page.wait_for_url(re.compile("/sign-in\\?next="))
    await open_page.get_by_label("E-mail").fill(ADVISOR)
    await open_page.get_by_label("Password").fill(PASSWORD)
    await open_page.keyboard.press("Enter")
    await open_page.wait_for_url(re.compile("/vehicles\\?search=Alba$"))


async def test_a_manager_asks_everybody_for_a_second_factor_and_is_asked_at_once(
    world: World, visitor: Visitor
) -> None:
    page = await visitor.page()
    await visitor.authenticator(page)
    await visitor.sign_in(page, "manager@nordlicht.example")
    await page.goto("/settings")
    await page.get_by_label("Second factor").select_option("everybody")
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(re.compile("/security$"))
    await expect(page.get_by_role("status").filter(has_text="asks for a second factor")).to_be_visible()
    await page.goto("/queue")
    await page.wait_for_url(re.compile("/security$"))
    await add_passkey(page, "Mine")
    await page.goto("/queue")
    await expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    await page.goto(f"/staff/{world.people['manager']}")
    await expect(page.get_by_role("region", name="What happened")).to_contain_text("passkey added")


async def test_the_pages_about_people_are_accessible_by_keyboard_and_without_a_script(
    world: World, visitor: Visitor
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (./test installs it with npm)")
    for size in (DESK, PHONE):
        page = await visitor.page(size, bypass_csp=True)
        await visitor.sign_in(page, "manager@nordlicht.example")
        for address in (
            "/staff",
            f"/staff/{world.people['advisor']}",
            f"/staff/{world.people['manager']}",
            "/staff/access",
        ):
            await page.goto(address)
            await page.add_script_tag(path=AXE)
            result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [f"{address}: {v['id']}: {v['nodes'][0]['html'][:140]}" for v in result["violations"]] == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
    bare = await visitor.page(java_script_enabled=False)
    await visitor.sign_in(bare, "manager@nordlicht.example")
    await bare.goto("/staff")
    await bare.get_by_role("link", name="Anna Petersen").focus()
    await bare.keyboard.press("Enter")
    await bare.get_by_role("button", name="End their access").focus()
    await bare.keyboard.press("Enter")
    await expect(bare.get_by_role("status").first).to_contain_text("no access any more")
    async with world.admin.acquire() as connection:
        assert (
            await connection.fetchval("SELECT count(*) FROM cases WHERE assignee_id = $1", world.people["advisor"]) == 0
        )
