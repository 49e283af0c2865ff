"""The page still makes the same elements of the README's six screens as when their pictures were drawn."""

import pytest
from playwright.async_api import Browser

from tests.contract.test_pictures import HOW
from tests.pictures import drawn, kept, pictures

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_picture_shows_what_the_page_makes_of_it(browser: Browser) -> None:
    elements = {picture.name: await drawn(browser, picture) for picture in pictures()}
    assert elements == {name: hashes[1] for name, hashes in kept().items() if name in elements}, HOW
