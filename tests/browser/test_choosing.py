"""Choosing an activeflow from a menu in a browser, by keyboard: after a typed command, and from the shortcut behind the
bolt.
"""

import pytest
from playwright.async_api import Locator, expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.world import World
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "Choosing line"


def options(screen: Screen) -> Locator:
    return screen.page.get_by_role("listbox", name="Options").get_by_role("option")


async def test_somebody_types_to_search_and_gets_the_stop_card_without_a_mouse(world: World, olive: Screen) -> None:
    flow = world.add_flow(NAME)
    first, second = (world.rings(flow, at=at) for at in ("digits_receive", "talk"))
    await olive.types("/flows stop")
    picker = olive.private("Stop which activeflow?")
    menu = picker.get_by_role("combobox", name="Type a flow, what it does, or an id")
    await menu.focus()
    await expect(menu).to_have_attribute("aria-expanded", "false")
    await olive.page.keyboard.press("ArrowDown")
    await expect(menu).to_have_attribute("aria-expanded", "true")
    await olive.page.keyboard.type("choosing")
    # beside these it may say that more could be missing, as long as not every flow's name was read
    await expect(options(olive).filter(has_text=NAME)).to_have_count(2)
    await expect(options(olive).first).to_contain_text(short(first))
    await expect(options(olive).first).to_contain_text("waiting for keypad input")
    await expect(options(olive).first).to_have_attribute("aria-selected", "true")
    await olive.page.keyboard.press("ArrowDown")
    await expect(options(olive).nth(1)).to_have_attribute("aria-selected", "true")
    chosen = await options(olive).nth(1).get_attribute("id")
    await expect(menu).to_have_attribute("aria-activedescendant", chosen or "")
    await olive.page.keyboard.press("Enter")
    await expect(olive.card(second)).to_contain_text("Stop this activeflow?")
    await expect(menu).to_have_value(f"{NAME} · under 1 s · {short(second)}".replace("under 1 s", await age(menu)))
    await expect(menu).to_have_attribute("aria-expanded", "false")


async def age(menu: Locator) -> str:
    """What is said of the age of the one that is chosen."""
    return (await menu.input_value()).split(" · ")[1]


async def test_escape_closes_the_menu_and_a_phone_number_finds_nothing(world: World, olive: Screen) -> None:
    world.rings(world.add_flow(NAME), at="talk", source="+15550192837")
    await olive.types("/flows show")
    menu = olive.private("Show which activeflow?").get_by_role("combobox")
    await menu.fill("(555) 019-2837")
    await expect(options(olive)).to_have_count(1)
    await expect(options(olive)).to_contain_text("Phone numbers are not searched here")
    await olive.page.keyboard.press("Escape")
    await expect(menu).to_have_attribute("aria-expanded", "false")
    await expect(menu).to_have_value("")


async def test_the_shortcut_behind_the_bolt_asks_what_and_where_without_a_mouse(world: World, olive: Screen) -> None:
    call = world.rings(world.add_flow(NAME), at="talk")
    await olive.page.get_by_role("button", name="Shortcuts").focus()
    await olive.page.keyboard.press("Enter")
    entry = olive.page.get_by_role("menuitem", name="Stop an activeflow…")
    await expect(entry).to_be_focused()
    await olive.page.keyboard.press("Enter")
    form = olive.page.get_by_role("dialog")
    await expect(form.get_by_role("heading", name="Stop an activeflow")).to_be_visible()
    where = form.get_by_label("Channel for the stop card")
    await expect(where.locator("option:checked")).to_have_text("#incidents")
    menu = form.get_by_role("combobox", name="Activeflow")
    await expect(menu).to_be_focused()
    await olive.page.keyboard.type(short(call))
    await expect(options(olive)).to_have_count(1)
    await olive.page.keyboard.press("Escape")
    await expect(form).to_be_visible()
    await olive.page.keyboard.type(short(call))
    await expect(options(olive)).to_have_count(1)
    await expect(options(olive)).to_contain_text(short(call))
    await olive.page.keyboard.press("Enter")
    await expect(menu).to_have_value(f"{NAME} · {await age(menu)} · {short(call)}")
    await olive.page.keyboard.press("Enter")
    await expect(form).to_have_count(0)
    await expect(olive.card(call)).to_contain_text("Stop this activeflow?")


async def test_a_form_without_a_choice_stays_open_and_keeps_what_was_chosen(world: World, olive: Screen) -> None:
    world.rings(world.add_flow(NAME), at="talk")
    await olive.page.get_by_role("button", name="Shortcuts").click()
    await olive.page.get_by_role("menuitem", name="Stop an activeflow…").click()
    form = olive.page.get_by_role("dialog")
    await form.get_by_label("Channel for the stop card").select_option(label="#support")
    await form.get_by_role("button", name="Post stop card").click()
    await expect(form.get_by_role("alert").first).to_contain_text("Please complete this required field.")
    await expect(form.get_by_label("Channel for the stop card").locator("option:checked")).to_have_text("#support")
    await form.get_by_role("button", name="Cancel").click()
    await expect(form).to_have_count(0)


async def test_a_bot_that_does_not_answer_in_time_is_an_error_in_the_menu(shown: Demo, olive: Screen) -> None:
    await olive.types("/flows watch")
    menu = olive.private("Watch which activeflow?").get_by_role("combobox")
    await expect(menu).to_be_visible()
    patience, shown.workspace.patience = shown.workspace.patience, 1e-6
    try:
        await menu.click()
        alert = olive.page.get_by_role("listbox", name="Options").get_by_role("alert")
        await expect(alert).to_have_text('Loading the options failed with the error "operation_timeout"')
    finally:
        shown.workspace.patience = patience
