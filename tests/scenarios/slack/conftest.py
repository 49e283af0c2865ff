"""The frame as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.slack.frame import Frame, framed, workspace


@pytest.fixture
async def frame() -> AsyncIterator[Frame]:
    async with framed(workspace()) as built:
        yield built
