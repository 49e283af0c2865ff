"""One person's window onto the demo, and the few things a person does in it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Locator, Page, Request, expect

from bot.demo.voipbin.state import Activeflow


def short(activeflow: Activeflow) -> str:
    """The id as everybody reads it."""
    return activeflow.id.hex[:8]


@dataclass
class Screen:
    """A page, with everything that went wrong on it in `troubles`: errors, dialogs, requests to other machines."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)

    async def opens(self) -> None:
        """Go to the demo, and note from now on what must not happen."""
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))
        self.page.on("console", self._says)
        self.page.on("request", self._asks)
        await self.page.goto(self.url)
        await expect(self.page.get_by_role("heading", name="# incidents")).to_be_visible()

    def _says(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"console: {message.text}")

    def _asks(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.troubles.append(f"asked {request.url}")

    @property
    def line(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    async def types(self, words: str) -> None:
        """Write a line and send it."""
        await self.line.fill(words)
        await self.line.press("Enter")

    async def becomes(self, name: str) -> None:
        """Be somebody else from now on."""
        await self.page.locator("#you").click()
        await self.page.get_by_role("option", name=name).click()
        await expect(self.page.locator("#you")).to_contain_text(name)

    async def goes_to(self, channel: str) -> None:
        await self.page.locator("#sidebar").get_by_role("button", name=channel).click()
        await expect(self.page.get_by_role("heading", name=f"# {channel}")).to_be_visible()

    async def switches(self, label: str) -> None:
        """Turn one of VoIPBIN's troubles on or off in the side panel."""
        switch = self.page.get_by_role("switch", name=label)
        turned = "false" if await switch.get_attribute("aria-checked") == "true" else "true"
        async with self.page.expect_response("**/demo/panel/switch"):
            await switch.click()
        await expect(switch).to_have_attribute("aria-checked", turned)

    def private(self, words: str) -> Locator:
        """The newest message that only this person sees and that says this."""
        return self.page.locator(".message.ephemeral", has_text=words).last

    def public(self, words: str) -> Locator:
        """The newest message for everybody that says this."""
        return self.page.locator(".message:not(.ephemeral)", has_text=words).last

    def card(self, activeflow: Activeflow) -> Locator:
        """The newest stop card of this activeflow, whatever has become of it."""
        asked = self.page.locator(".message:not(.ephemeral)", has_text="Asked by")
        return asked.filter(has_text=short(activeflow)).last

    async def lists(self, line: str, *activeflows: Activeflow) -> Locator:
        """Type the line, and refresh a list that lacks some of these: it may be some seconds old, and says so."""
        await self.types(line)
        rows = self.private("Running activeflows")
        told = await rows.inner_text()
        if not all(short(activeflow) in told for activeflow in activeflows):
            await self.presses("Refresh", rows)
        for activeflow in activeflows:
            await expect(rows).to_contain_text(short(activeflow))
        return rows

    async def asks_to_stop(self, activeflow: Activeflow, reason: str = "") -> Locator:
        """Type the command, and see the card."""
        await self.types(f"/flows stop {short(activeflow)} {reason}".strip())
        card = self.card(activeflow)
        await expect(card).to_contain_text("Stop this activeflow?")
        return card

    async def presses(self, label: str, within: Locator) -> None:
        """Press the button that is labelled so; screen readers may read more than the label."""
        await within.locator("button", has_text=label).last.click()
