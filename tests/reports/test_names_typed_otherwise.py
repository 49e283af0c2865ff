"""A name that is typed in another form of Unicode, or with its emoji as a code, is the same name everywhere.

https://github.com/9001/copyparty/issues/1555 (macOS types decomposed letters)
https://github.com/slackapi/bolt-js/issues/1469 (emoji arrive as short codes)
"""

import unicodedata

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

BULK = '\n[[grant]]\nto = ["U0ALICE"]\nmay = ["bulk"]\n'


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("상담 대기", unicodedata.normalize("NFD", "상담 대기")),
        (unicodedata.normalize("NFD", "Café Mitte"), "café mitte"),
        ("🔥 Hotline", ":fire: Hotline"),
        (":rotating_light: Hotline", "🚨 hotline"),
        ("Support line", "Ｓｕｐｐｏｒｔ　ｌｉｎｅ"),
    ],
)
async def test_list_find_and_bulk_take_it_for_the_same_name(
    stage: Stage, slack: Workspace, voipbin: World, name: str, typed: str
) -> None:
    stage.policy.write_text(stage.policy.read_text() + BULK, encoding="utf-8")
    wanted = voipbin.rings(voipbin.add_flow(name), at="play")
    voipbin.rings(voipbin.add_flow("Another one"), at="play")
    async with stage.start():
        listed = await answers(stage, f'list flow:"{typed}"')
        assert "1 running" in listed.words
        assert str(wanted.id) in [button.value for button in listed.buttons]
        found = await answers(stage, f"find {typed}")
        assert str(wanted.id) in [button.value for button in found.buttons]
        await slack.types(ALICE, INCIDENTS, f'/flows stop all flow:"{typed}"')
        card = await stage.reads("Asked by")
        assert "Another one" not in card.words


async def test_a_name_that_is_nearly_right_gets_another_line_than_the_one_that_was_typed(
    bot: Stage, voipbin: World
) -> None:
    voipbin.rings(voipbin.add_flow("🔥 Hotline"), at="play")
    answer = await answers(bot, 'list flow:":fire: Hotlin"')
    assert "0 running" in answer.words
    assert "🔥 Hotline" in answer.words


@pytest.mark.parametrize(
    "typed", ["list type：call", "ｌｉｓｔ　type＝call", "list older：１ｓ", "list flow：“Support line”"]
)
async def test_full_width_signs_of_an_input_method_are_read_or_corrected(
    bot: Stage, voipbin: World, typed: str
) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    answer = await answers(bot, typed)
    assert "running" in answer.words or "Did you mean /flows list type:call?" in answer.words
