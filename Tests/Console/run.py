"""Walks through every flow of the console in Chromium, by the roles and names that a screen reader reads."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator

from axe_playwright_python.sync_playwright import Axe
from mortise import EMAIL, PASSWORD, PROVIDER, REPOSITORY, URL, Api, fill, provider, receiver, server
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright
from standardwebhooks.webhooks import Webhook

SCREENSHOTS = REPOSITORY / ".build/console-screenshots"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
AXE = Axe()


class Check:
    """What every page must be: free of faults that axe finds, and as wide as a phone allows."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def page(self, page: Page, name: str, *, shot: bool = True) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            result = AXE.run(page)
            assert result.violations_count == 0, f"{name} ({scheme}): {result.generate_report()}"
            if shot:
                page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 700})
        width = page.evaluate("document.documentElement.scrollWidth")
        if shot:
            page.screenshot(path=SCREENSHOTS / f"{name}-phone.png", full_page=True)
        page.set_viewport_size(size)
        assert width <= 320, f"{name} is {width} pixels wide on a phone"
        self.names.add(name)


CHECK = Check()


def chromium(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
    )


@contextlib.contextmanager
def tab(browser: Browser, scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        java_script_enabled=scripts, viewport={"width": 1280, "height": 860}, locale="en-GB", timezone_id="Europe/Berlin",
        reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"],
    )
    faults: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    # A debug build hashes a password slowly, and the machine can be busy.
    page.set_default_timeout(90_000)
    expect.set_options(timeout=90_000)
    yield page
    context.close()
    # The browser itself reports answers of 4xx, which some flows are about.
    faults = [fault for fault in faults if "Failed to load resource" not in fault]
    assert not faults, faults


COOKIES: dict[str, list] = {}


def sign_in(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Signs in, once for all flows of a member."""
    if email in COOKIES:
        page.context.add_cookies(COOKIES[email])
    page.goto(f"{URL}/console/")
    if email in COOKIES:
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return
    page.get_by_role("textbox", name="Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    COOKIES[email] = page.context.cookies()


def create(page: Page, name: str, workspace: str = "default") -> str:
    page.goto(f"{URL}/console/workspaces/{workspace}")
    page.get_by_role("link", name=re.compile("^Create (the first )?key$")).first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create key").click()
    return page.get_by_role("textbox", name="Token", exact=True).input_value()


def open_key(page: Page, name: str, workspace: str = "default") -> None:
    page.goto(f"{URL}/console/workspaces/{workspace}")
    page.get_by_role("row").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def signing_in_and_out(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        page.goto(f"{URL}/")
        expect(page).to_have_url(f"{URL}/console/sign-in")
        if scripts:
            CHECK.page(page, "sign-in")
        page.goto(f"{URL}/console/members")
        page.get_by_role("textbox", name="Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The address or the password is wrong.")
        expect(page.get_by_role("textbox", name="Email")).to_have_value(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).to_have_url(f"{URL}/console/members")
        cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == "__Host-mortise")
        assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
        for name in ("Workspaces", "Members", "Admin keys", "Session issuers", "Webhooks", "Events", "Settings"):
            expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_contain_text("You are signed out.")
        page.goto(f"{URL}/console/")
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def making_a_key(browser: Browser, api: Api, scripts: bool) -> None:
    name = f"Made {'with' if scripts else 'without'} scripts"
    with tab(browser, scripts) as page:
        sign_in(page)
        page.goto(f"{URL}/console/workspaces/default/keys/new")
        if scripts:
            CHECK.page(page, "key-new")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Description", exact=True).fill("A description")
        page.get_by_label("Mode", exact=True).select_option("live")
        page.get_by_label("Type", exact=True).select_option("service")
        page.get_by_label("Scopes", exact=True).fill("read everything")
        page.get_by_text("Restrictions", exact=True).click()
        page.get_by_label("Allowed addresses", exact=True).fill("127.0.0.0/8\n::1")
        page.get_by_label("Namespaces", exact=True).fill("")
        page.get_by_label("Requests per minute", exact=True).fill("600")
        page.get_by_label("Requests per hour", exact=True).fill("")
        page.get_by_label("Ends", exact=True).select_option("30")
        page.get_by_role("button", name="Create key").click()
        expect(page.get_by_role("alert")).to_contain_text("is not a scope")
        expect(page.get_by_label("Name", exact=True)).to_have_value(name)
        expect(page.get_by_label("Ends", exact=True)).to_have_value("30")
        if scripts:
            CHECK.page(page, "key-new-fault")
        page.get_by_label("Scopes", exact=True).fill("read:invoices\nwrite:*")
        page.get_by_role("button", name="Create key").click()
        box = page.get_by_role("textbox", name="Token", exact=True)
        token = box.input_value()
        assert token.startswith("mks_live_"), token
        assert box.get_attribute("readonly") is not None
        assert token not in page.url
        assert api.verdict(token, address="127.0.0.1", scopes=["read:invoices"]) == "valid"
        expect(page.get_by_role("status")).to_contain_text("The key is created.")
        if scripts:
            CHECK.page(page, "key-issued", shot=False)
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            assert page.evaluate("navigator.clipboard.readText()") == token
            stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state])")
            assert token not in stored
        page.reload()
        assert token not in page.content()
        assert api.key_names().count(name) == 1
        page.get_by_role("link", name="Done").click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        for _ in range(2):
            # The answer to a form is not stored, so the browser asks whether to send the form again.
            with contextlib.suppress(Error):
                page.go_back()
            expect(page.get_by_role("textbox", name="Token", exact=True)).to_have_count(0)
        assert api.key_names().count(name) == 1


def finding_a_key(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        sign_in(page)
        page.get_by_role("link", name="Production", exact=True).click()
        box = page.get_by_role("searchbox", name="Search keys")
        box.fill("partner")
        if not scripts:
            page.get_by_role("button", name="Apply filters").click()
        expect(page.get_by_role("row")).to_have_count(3)
        expect(page.get_by_role("row").get_by_role("link", name="Partner: Northwind")).to_be_visible()
        if scripts:
            expect(page.locator("[aria-live=polite]")).to_have_text("2 results on this page")
        box.fill("no such key")
        if not scripts:
            page.get_by_role("button", name="Apply filters").click()
        expect(page.get_by_role("heading", name="No key matches")).to_be_visible()
        if scripts:
            CHECK.page(page, "keys-none", shot=False)
        box.fill("")
        for label, value, name in (
            ("Status", "disabled", "Partner: Contoso"), ("Mode", "test", "CI of billing"),
            ("Ends within", "30", "Invoice worker"), ("Unused since", "ever", "Nightly export"),
        ):
            page.get_by_role("combobox", name=label).select_option(value)
            if not scripts:
                page.get_by_role("button", name="Apply filters").click()
            expect(page.get_by_role("row").get_by_role("link", name=name, exact=True)).to_be_visible()
            expect(page.get_by_role("row").get_by_role("link", name="Checkout service")).to_have_count(0)
            page.get_by_role("combobox", name=label).select_option("")
            if not scripts:
                page.get_by_role("button", name="Apply filters").click()
        page.goto(f"{URL}/console/workspaces/production")
        page.get_by_role("link", name="Name", exact=True).click()
        names = page.locator(".keys tbody .row-link").all_inner_texts()
        assert names == sorted(names, key=str.lower) and len(names) == 14, names
        page.get_by_role("link", name="Last used", exact=True).click()
        expect(page.locator(".keys tbody .row-link").last).not_to_have_text("Checkout service")
        page.set_viewport_size({"width": 360, "height": 700})
        page.get_by_role("link", name="Name", exact=True).click()
        expect(page.locator(".keys tbody .row-link").first).to_have_text("Checkout service")
        page.set_viewport_size({"width": 1280, "height": 860})
        if scripts:
            page.goto(f"{URL}/console/workspaces/production")
            CHECK.page(page, "keys")


def paging(browser: Browser, api: Api, scripts: bool) -> None:
    if not scripts:
        for index in range(61):
            api.call("POST", "/v1/workspaces/acme-logistics/service-keys", {"name": f"Truck {index:02}"})
    with tab(browser, scripts) as page:
        sign_in(page)
        for sort in ("", "?sort=name", "?sort=used", "?sort=ends", "?sort=created&dir=asc"):
            page.goto(f"{URL}/console/workspaces/acme-logistics{sort}")
            first = page.locator(".keys tbody .row-link").all_inner_texts()
            page.get_by_role("link", name="Next page").click()
            expect(page.get_by_role("link", name="First page")).to_be_visible()
            second = page.locator(".keys tbody .row-link").all_inner_texts()
            assert len(first) == 50 and len(second) == 11 and len(set(first + second)) == 61, (sort, first, second)
            expect(page.get_by_role("link", name="Next page")).to_have_count(0)


def changing_a_key(browser: Browser, api: Api, scripts: bool) -> None:
    name = f"Changed {'with' if scripts else 'without'}"
    with tab(browser, scripts) as page:
        sign_in(page)
        old = create(page, name)
        open_key(page, name)
        # With scripts, the hours of the chart are in the zone of the reader.
        expect(page.get_by_text("The hours are in UTC.")).to_be_visible(visible=not scripts)
        if scripts:
            page.goto(f"{page.url}?range=day")
            CHECK.page(page, "key", shot=False)
        page.get_by_role("button", name="Rotate").click()
        group = page.get_by_role("group", name="Grace period")
        for option in ("Now", "1 h", "24 h", "7 days", "30 days"):
            expect(group.get_by_role("radio", name=option, exact=True)).to_be_visible()
        if scripts:
            CHECK.page(page, "dialog-rotate")
        group.get_by_role("radio", name="1 h", exact=True).check()
        page.get_by_role("button", name="Rotate key").click()
        new = page.get_by_role("textbox", name="Token", exact=True).input_value()
        assert new != old and api.verdict(new) == "valid" and api.verdict(old) == "valid"
        page.get_by_role("link", name="Done").click()

        page.get_by_label("Description", exact=True).fill("Changed")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("saved")
        expect(page.get_by_label("Description", exact=True)).to_have_value("Changed")

        page.get_by_role("button", name="Disable", exact=True).click()
        page.get_by_role("button", name="Disable key").click()
        expect(page.get_by_role("status")).to_contain_text("disabled")
        assert api.verdict(new) == "disabled"
        page.get_by_role("button", name="Enable").click()
        expect(page.get_by_role("status")).to_contain_text("enabled")
        assert api.verdict(new) == "valid"

        page.get_by_label("Try this token", exact=True).fill(new)
        page.get_by_role("button", name="Try").click()
        expect(page.get_by_role("status")).to_contain_text("This token is accepted.")
        assert new not in page.content()
        if scripts:
            CHECK.page(page, "key-tried", shot=False)

        open_key(page, name)
        page.get_by_role("button", name="Revoke", exact=True).click()
        page.get_by_role("textbox", name="Reason").fill("left the team")
        page.get_by_role("textbox", name="Name of the key").fill("another key")
        if scripts:
            CHECK.page(page, "dialog-revoke")
        page.get_by_role("button", name="Revoke key").click()
        expect(page.get_by_role("alert")).to_contain_text("not the name of the key")
        assert api.verdict(new) == "valid"
        expect(page.get_by_role("textbox", name="Reason")).to_have_value("left the team")
        page.get_by_role("textbox", name="Name of the key").fill(name)
        page.get_by_role("button", name="Revoke key").click()
        expect(page.get_by_role("status")).to_contain_text("revoked")
        assert api.verdict(new) == "revoked"
        expect(page.get_by_text("left the team").first).to_be_visible()

        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("textbox", name="Name of the key").fill(name)
        page.get_by_role("button", name="Delete key").click()
        expect(page.get_by_role("status")).to_contain_text("deleted")
        assert name not in api.key_names()


def changing_several_keys(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        sign_in(page)
        names = [f"Several {number} {scripts}" for number in (1, 2, 3)]
        tokens = [create(page, name) for name in names]
        page.goto(f"{URL}/console/workspaces/default")
        for name in names[:2]:
            page.get_by_role("checkbox", name=f"Select {name}").check()
        page.get_by_role("button", name="Disable keys").click()
        expect(page.get_by_text(names[0])).to_be_visible()
        if scripts:
            CHECK.page(page, "several")
        page.get_by_role("button", name="Disable keys").click()
        expect(page.get_by_role("status")).to_contain_text("disabled")
        assert [api.verdict(token) for token in tokens] == ["disabled", "disabled", "valid"]
        for name in names:
            page.get_by_role("checkbox", name=f"Select {name}").check()
        page.get_by_role("button", name="Revoke keys").click()
        page.get_by_role("button", name="Revoke keys").click()
        expect(page.get_by_role("status")).to_contain_text("revoked")
        assert {api.verdict(token) for token in tokens} == {"revoked"}
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        assert names[0] in download.value.path().read_text("utf-8-sig")


def client_keys(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        sign_in(page)
        page.goto(f"{URL}/console/workspaces/production")
        page.get_by_role("link", name="Client keys", exact=True).click()
        expect(page.get_by_role("row").get_by_role("link", name="Personal key of user_1042")).to_be_visible()
        if scripts:
            CHECK.page(page, "client-keys")
        page.get_by_role("link", name="Create key").click()
        page.get_by_label("Name", exact=True).fill(f"Client {scripts}")
        page.get_by_label("Subject", exact=True).fill("user_7")
        page.get_by_role("button", name="Create key").click()
        token = page.get_by_role("textbox", name="Token", exact=True).input_value()
        assert token.startswith("mkc_") and api.verdict(token) == "valid"
        page.get_by_role("link", name="Done").click()
        expect(page.get_by_text("user_7").first).to_be_visible()


def admin_keys(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        sign_in(page)
        page.get_by_role("link", name="Admin keys", exact=True).click()
        if scripts:
            CHECK.page(page, "admin-keys")
        page.get_by_role("link", name="Create key").click()
        page.get_by_label("Name", exact=True).fill(f"Gateway {scripts}")
        page.get_by_role("checkbox", name=re.compile("Verify tokens")).check()
        if scripts:
            CHECK.page(page, "admin-key-new", shot=False)
        page.get_by_role("button", name="Create key").click()
        token = page.get_by_role("textbox", name="Token", exact=True).input_value()
        assert Api(token).call("GET", "/v1/me")["permissions"] == ["keys:verify"]
        page.get_by_role("link", name="Done").click()
        page.get_by_role("button", name="Disable", exact=True).click()
        page.get_by_role("button", name="Disable key").click()
        expect(page.get_by_role("status")).to_contain_text("disabled")


def members_and_settings(browser: Browser, api: Api, scripts: bool) -> None:
    email = f"eve-{scripts}@example.org".lower()
    with tab(browser, scripts) as page:
        sign_in(page)
        page.get_by_role("link", name="Members", exact=True).click()
        if scripts:
            CHECK.page(page, "members")
        page.get_by_label("Email", exact=True).fill(email)
        page.get_by_label("Role", exact=True).select_option("admin")
        page.get_by_label("Password", exact=True).fill("short")
        page.get_by_role("button", name="Add member").click()
        expect(page.get_by_role("alert")).to_contain_text("12 to 256 characters")
        expect(page.get_by_label("Email", exact=True)).to_have_value(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Add member").click()
        expect(page.get_by_role("status")).to_contain_text("The member is added.")
        with tab(browser, scripts) as other:
            sign_in(other, email)
            other.get_by_role("link", name="Settings", exact=True).click()
            if scripts:
                CHECK.page(other, "settings")
            other.get_by_label("Current password", exact=True).fill(PASSWORD)
            other.get_by_label("New password", exact=True).fill("another long password")
            other.get_by_label("New password again", exact=True).fill("another long password")
            other.get_by_role("button", name="Change password").click()
            expect(other.get_by_role("status")).to_contain_text("password is changed")
            page.get_by_role("link", name=email).click()
            if scripts:
                CHECK.page(page, "member")
            page.get_by_label("Role", exact=True).select_option("auditor")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("status")).to_contain_text("saved")
            other.goto(f"{URL}/console/workspaces/production")
            expect(other.get_by_role("link", name="Create key")).to_have_count(0)
            page.get_by_label("Email of the member", exact=True).fill(email)
            page.get_by_role("button", name="Remove member").click()
            expect(page.get_by_role("status")).to_contain_text("The member is removed")
            other.get_by_role("link", name="Settings", exact=True).click()
            expect(other.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def workspaces_and_events(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        sign_in(page)
        if scripts:
            CHECK.page(page, "home")
        page.get_by_role("link", name="Create workspace").click()
        page.get_by_label("Name", exact=True).fill(f"Sandbox {scripts}")
        if scripts:
            CHECK.page(page, "workspace-new", shot=False)
        page.get_by_role("button", name="Create workspace").click()
        expect(page.get_by_role("status")).to_contain_text("The workspace is created.")
        expect(page.get_by_role("heading", name="No keys yet")).to_be_visible()
        if scripts:
            CHECK.page(page, "keys-empty")
        page.get_by_role("link", name="Workspace settings").click()
        if scripts:
            CHECK.page(page, "workspace-settings")
        page.get_by_role("button", name="Suspend workspace").click()
        expect(page.get_by_role("status")).to_contain_text("suspended")
        page.get_by_role("button", name="Resume workspace").click()
        expect(page.get_by_role("status")).to_contain_text("active again")
        page.goto(f"{URL}/console/workspaces/production/events")
        expect(page.locator("#results").get_by_text("Key revoked").first).to_be_visible()
        if scripts:
            CHECK.page(page, "workspace-events")
        page.get_by_role("link", name="Events", exact=True).click()
        expect(page.locator("#results").get_by_text("Signed in").first).to_be_visible()
        if scripts:
            CHECK.page(page, "events", shot=False)
        page.get_by_role("link", name="Session issuers", exact=True).click()
        if scripts:
            CHECK.page(page, "session-issuers", shot=False)
        page.goto(f"{URL}/console/nothing")
        expect(page.get_by_role("alert")).to_be_visible()


def webhooks(browser: Browser, api: Api, scripts: bool) -> None:
    with receiver() as hook, tab(browser, scripts) as page:
        sign_in(page)
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Webhooks").click()
        if not scripts:
            expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()
        page.get_by_role("link", name="Create webhook", exact=True).click()
        page.get_by_role("textbox", name="URL").fill("http://hooks.example.org/")
        page.get_by_role("textbox", name="Event types").fill("key.*\nwebhook.*")
        page.get_by_role("textbox", name="Description").fill("A receiver of the tests")
        page.get_by_role("button", name="Create webhook").click()
        expect(page.get_by_role("alert")).to_contain_text("Must be an https URL")
        expect(page.get_by_role("textbox", name="Event types")).to_have_value("key.*\nwebhook.*")
        if scripts:
            CHECK.page(page, "webhook-new")
        page.get_by_role("textbox", name="URL").fill(hook.url)
        page.get_by_role("button", name="Create webhook").click()
        secret = page.get_by_role("textbox", name="Secret", exact=True).input_value()
        assert secret.startswith("whsec_"), secret
        expect(page.get_by_role("status")).to_contain_text("The webhook is created.")
        if scripts:
            CHECK.page(page, "webhook-issued", shot=False)
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
        page.reload()
        assert secret not in page.content()
        page.get_by_role("link", name="Done").click()
        expect(page.get_by_role("heading", name=hook.url, level=1)).to_be_visible()
        hook.status = 500
        page.get_by_role("button", name="Send test event").click()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        reload_until(page, "Status 500")
        Webhook(secret).verify(*hook.requests[0])
        if scripts:
            CHECK.page(page, "webhook")
        page.get_by_role("link", name="Workspaces", exact=True).click()
        expect(page.get_by_role("region", name="Needs attention")).to_contain_text("has accepted no event")
        page.get_by_role("region", name="Needs attention").get_by_role("link", name=hook.url).click()
        hook.status = 204
        page.get_by_role("button", name=re.compile("^Retry the delivery")).first.click()
        reload_until(page, "Accepted")
        page.get_by_role("button", name="Rotate secret").click()
        new = page.get_by_role("textbox", name="Secret", exact=True).input_value()
        assert new != secret
        page.get_by_role("link", name="Done").click()
        page.get_by_role("textbox", name="Description").fill("Changed")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("saved")
        page.get_by_role("button", name="Disable", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Nothing is sent")
        page.get_by_role("button", name="Enable", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Events are sent")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Webhooks").click()
        if scripts:
            CHECK.page(page, "webhooks")
        page.get_by_role("row").get_by_role("link", name=hook.url).click()
        page.get_by_role("textbox", name="URL of the webhook").fill("https://other.example/")
        page.get_by_role("button", name="Delete webhook").click()
        expect(page.get_by_role("alert")).to_contain_text("not the URL of the webhook")
        page.get_by_role("textbox", name="URL of the webhook").fill(hook.url)
        page.get_by_role("button", name="Delete webhook").click()
        expect(page.get_by_role("status")).to_contain_text("deleted")


def reload_until(page: Page, text: str) -> None:
    """Loads a page again until it shows a text."""
    end = time.monotonic() + 90
    while text not in " ".join(page.inner_text("main").split()):
        assert time.monotonic() < end, f"the page never showed {text}"
        page.goto(page.url.split("?")[0])


def with_the_keyboard_alone(browser: Browser, api: Api, scripts: bool) -> None:
    if not scripts:
        return
    with tab(browser) as page:
        page.goto(f"{URL}/console/sign-in")
        page.keyboard.type(EMAIL)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        create(page, "By keyboard")
        open_key(page, "By keyboard")
        page.get_by_role("button", name="Revoke", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Reason")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Revoke", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("By keyboard")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("revoked")


def names_are_data(browser: Browser, api: Api, scripts: bool) -> None:
    if not scripts:
        return
    long = "L" * 255
    evil = "<script>window.hacked = 1</script><b>bold</b> \u202etxt.exe"
    for name in (long, evil):
        api.call("POST", "/v1/workspaces/default/service-keys", {"name": name, "description": name})
    with tab(browser) as page:
        sign_in(page)
        page.goto(f"{URL}/console/workspaces/default")
        CHECK.page(page, "names", shot=False)
        for name in (long, evil):
            page.goto(f"{URL}/console/workspaces/default?q={'LLLL' if name == long else 'hacked'}")
            page.locator(".keys tbody .row-link").first.click()
            CHECK.page(page, "name-of-a-key", shot=False)
            page.get_by_role("button", name="Delete", exact=True).click()
            page.get_by_role("textbox", name="Name of the key").fill(name.replace("\u202e", ""))
            page.get_by_role("button", name="Delete key").click()
            expect(page.get_by_role("status")).to_contain_text("deleted")
            assert page.evaluate("window.hacked") is None


def long_scopes(browser: Browser, api: Api, scripts: bool) -> None:
    """One key with the longest scope made every form for keys wider than a phone."""
    scope = f"{'v' * 64}:{'r' * 64}"
    if not scripts:
        api.call("POST", "/v1/workspaces/default/service-keys", {"name": "Long scope", "scopes": [scope]})
    with tab(browser, scripts) as page:
        sign_in(page)
        page.goto(f"{URL}/console/workspaces/default/keys/new")
        if scripts:
            expect(page.get_by_role("button", name=f"Add the scope {scope}")).to_be_visible()
            CHECK.page(page, "long-scopes", shot=False)
        else:
            # Without scripts, a scope is a text and no button.
            page.set_viewport_size({"width": 320, "height": 700})
            chip = page.locator("code.chip", has_text=scope)
            expect(chip).to_be_visible()
            box = chip.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320, box
            page.set_viewport_size({"width": 1280, "height": 860})
        open_key(page, "Long scope")
        if scripts:
            CHECK.page(page, "long-scope", shot=False)
            page.get_by_role("button", name="Delete", exact=True).click()
            page.get_by_role("textbox", name="Name of the key").fill("Long scope")
            page.get_by_role("button", name="Delete key").click()
            expect(page.get_by_role("status")).to_contain_text("deleted")


def pictures(browser: Browser, api: Api, scripts: bool) -> None:
    """The pages of the documentation."""
    if not scripts:
        return
    with tab(browser) as page:
        sign_in(page)
        page.goto(f"{URL}/console/workspaces/production")
        page.get_by_role("row").get_by_role("link", name="Checkout service", exact=True).click()
        CHECK.page(page, "key-used")
        page.get_by_role("button", name="Rotate").click()
        page.screenshot(path=SCREENSHOTS / "dialog.png")


def operating_the_platform(browser: Browser, api: Api, scripts: bool) -> None:
    with tab(browser, scripts) as page:
        page.goto(f"{URL}/console/platform/")
        page.get_by_role("textbox", name="Operator key").fill("mko_live_wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("not the token of an operator key")
        if scripts:
            CHECK.page(page, "platform-sign-in", shot=False)
        page.get_by_role("textbox", name="Operator key").fill(OPERATOR[0])
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()
        if scripts:
            CHECK.page(page, "platform")
        page.get_by_role("link", name="Create organization").click()
        name = f"Globex {scripts}"
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Create organization").click()
        token = page.get_by_role("textbox", name="Token", exact=True).input_value()
        assert Api(token).call("GET", "/v1/workspaces")["data"][0]["is_default"]
        page.reload()
        assert token not in page.content()
        page.get_by_role("link", name="Done").click()
        page.get_by_role("row").get_by_role("link", name=name).click()
        if scripts:
            CHECK.page(page, "platform-organization")
        page.get_by_label("Days without a use").fill("often")
        page.get_by_role("button", name="Save notices").click()
        expect(page.get_by_role("alert")).to_contain_text("Enter a whole number, or nothing.")
        expect(page.get_by_label("Days without a use")).to_have_value("often")
        if scripts:
            CHECK.page(page, "platform-organization-fault", shot=False)
        page.get_by_label("Days without a use").fill("30")
        page.get_by_label("Leaked token").select_option("quarantine")
        page.get_by_label("Days before the end of a key").fill("14, 2")
        page.get_by_role("button", name="Save notices").click()
        expect(page.get_by_role("status")).to_contain_text("The changes are saved.")
        expect(page.get_by_label("Leaked token")).to_have_value("quarantine")
        expect(page.get_by_label("Days before the end of a key")).to_have_value("14, 2")
        issuer = f"https://clerk-{scripts}.example.com".lower()
        page.get_by_role("textbox", name="Issuer", exact=True).fill(issuer)
        page.get_by_role("textbox", name="URL of its key set").fill(f"{issuer}/jwks.json")
        page.get_by_role("button", name="Trust issuer").click()
        expect(page.get_by_role("status")).to_contain_text("are trusted from now on")
        page.get_by_role("button", name=f"Stop trusting {issuer}").click()
        expect(page.get_by_text("no user of the application can see or change their client keys")).to_be_visible()
        if scripts:
            CHECK.page(page, "platform-issuer", shot=False)
        page.get_by_role("textbox", name="Issuer", exact=True).fill("https://other.example.com")
        page.get_by_role("button", name="Stop trusting").click()
        expect(page.get_by_role("alert")).to_contain_text("This is not the issuer.")
        page.get_by_role("textbox", name="Issuer", exact=True).fill(issuer)
        page.get_by_role("button", name="Stop trusting").click()
        expect(page.get_by_role("status")).to_contain_text("not trusted any more")
        page.get_by_role("button", name="Suspend Default").click()
        expect(page.get_by_role("status")).to_contain_text("suspended")
        if scripts:
            CHECK.page(page, "platform-workspaces", shot=False)
        page.get_by_role("link", name="Clusters", exact=True).click()
        expect(page.get_by_role("heading", name="Clusters", level=1)).to_be_visible()
        expect(page.get_by_role("row", name="primary")).to_contain_text("Reachable")
        expect(page.get_by_text("mortise cluster add")).to_be_visible()
        if scripts:
            CHECK.page(page, "platform-clusters")
        page.get_by_role("link", name="Nodes", exact=True).click()
        expect(page.get_by_role("heading", name="Nodes", level=1)).to_be_visible()
        expect(page.get_by_role("table", name="Leases of nodes")).to_contain_text("This node")
        if scripts:
            CHECK.page(page, "platform-nodes")
        page.get_by_role("link", name="Migrations", exact=True).click()
        page.get_by_role("link", name="Check all databases").click()
        expect(page.get_by_role("status")).to_contain_text("All are current.")
        if scripts:
            CHECK.page(page, "platform-migrations", shot=False)
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{URL}/console/platform/")
        expect(page.get_by_role("textbox", name="Operator key")).to_be_visible()


def signing_in_with_a_provider(browser: Browser, api: Api, scripts: bool) -> None:
    email = "grace@example.org"
    members = "/v1/organizations/default/members"
    if not api.call("GET", f"{members}?query={email}")["data"]:
        api.call("POST", members, {"email": email, "role": "admin"})

    def press(page: Page, subject: str) -> None:
        # The provider's page has a stylesheet of another host, which tests do not reach.
        page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(f"{URL}/console/members")
        page.get_by_role("button", name="Sign in with Example Login").click()
        # The button leads to a page that goes on by itself, past the policy about forms.
        page.get_by_role("button", name=subject, exact=True).first.click()

    with tab(browser, scripts) as page:
        press(page, "grace-1")
        # The answer is a page, after which the browser has the cookie that is `Strict`, although it came from another site.
        expect(page).to_have_url(f"{URL}/console/members")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies(URL)}
        assert cookies["__Host-mortise"]["sameSite"] == "Strict" and "__Host-mortise-oidc" not in cookies
        page.get_by_role("link", name=email).click()
        expect(page.get_by_text("grace-1")).to_be_visible()
        # Only an owner separates accounts.
        expect(page.get_by_role("button", name="Separate the account")).to_have_count(0)
        if scripts:
            CHECK.page(page, "member-with-account")
        # A link on another site to a page of the console: the session is there, and no sign-in is offered.
        mail = f'<a href="{URL}/console/settings">A link in a mail</a>'
        page.route(f"{PROVIDER}/mail", lambda route: route.fulfill(body=mail, content_type="text/html"))
        page.goto(f"{PROVIDER}/mail")
        page.get_by_role("link", name="A link in a mail").click()
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()

    with tab(browser, scripts) as page:
        press(page, "mallory-1")
        expect(page.get_by_role("alert")).to_contain_text("does not say that your e-mail address is verified")
        if scripts:
            CHECK.page(page, "sign-in-refused")
        press(page, "stranger-1")
        expect(page.get_by_role("alert")).to_contain_text("No member has the address stranger@example.org.")
        press(page, "Deny")
        # This provider sends an error without the state, which could be anybody's.
        expect(page.get_by_role("alert")).to_contain_text("Start again.")


OPERATOR: list[str] = []

FLOWS: list[Callable[[Browser, Api, bool], None]] = [
    signing_in_and_out, signing_in_with_a_provider, finding_a_key, pictures, making_a_key, paging, changing_a_key, changing_several_keys, client_keys,
    admin_keys, members_and_settings, workspaces_and_events, webhooks, operating_the_platform, with_the_keyboard_alone, names_are_data,
    long_scopes,
]


def main() -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    only = os.environ.get("CONSOLE_ONLY", "")
    failures = 0
    with provider(), server() as (api, operator), sync_playwright() as playwright:
        OPERATOR.append(operator)
        fill(api)
        browser = chromium(playwright)
        for scripts in (False, True):
            for flow in FLOWS:
                title = f"{flow.__name__.replace('_', ' ')}, {'with' if scripts else 'without'} scripts"
                if only and only not in flow.__name__:
                    continue
                try:
                    flow(browser, api, scripts)
                    print(f"ok: {title}", flush=True)
                except Exception:
                    failures += 1
                    print(f"FAILED: {title}", flush=True)
                    traceback.print_exc()
        browser.close()
    if failures:
        sys.exit(f"{failures} flows failed")
    print(f"{len(CHECK.names)} pages were checked by axe")


if __name__ == "__main__":
    main()
