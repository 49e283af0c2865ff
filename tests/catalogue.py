"""Everything the bot can say, in every state, with how long and how hard to read it is.

    python -m tests.catalogue

writes it anew: ``catalogue.txt`` beside this file, for people who read a change of words, and
``bot/demo/page/catalogue.json``, which the demo draws under ``/catalogue``. A test fails while either is old.

The reading level is the Automated Readability Index, in years of school: it needs no dictionary of syllables.
https://apps.dtic.mil/sti/citations/AD0667273
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.slack.messaging.messenger import Message, checked, checked_view
from tests.unit.slack.blocks import screens
from tests.unit.slack.blocks.other_screens import forms, other_screens

TEXTS = Path(__file__).with_name("catalogue.txt")
DRAWN = Path(__file__).resolve().parents[1] / "bot/demo/page/catalogue.json"
_DATE = re.compile(r"<!date\^[^|]*\|\d{4}-\d\d-\d\d ([0-9:]+) UTC>")
_SENTENCE = re.compile(r"[.?!:]\s+|\n| · ")
_UNREAD = re.compile(r"`[^`]*`|\[[^\]]*\]")
"""What nobody reads as a sentence: ids, lines to type, and buttons."""
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")


@dataclass(frozen=True)
class Entry:
    """One screen: what it is called, what is read aloud, and its blocks."""

    name: str
    text: str
    blocks: list[dict[str, Any]]
    kind: str = "message"

    @property
    def words(self) -> str:
        """All that is shown, or what is said where nothing is."""
        return "\n".join(_lines(self.blocks)) or self.text


def catalogue() -> Iterator[Entry]:
    """Each screen once, named by its group and its first words."""
    seen: set[str] = set()
    count: Counter[str] = Counter()
    for group, messages in _groups():
        for message in messages:
            text, blocks = checked(message.text, message.blocks)
            if (whole := json.dumps([text, blocks])) not in seen:
                seen.add(whole)
                count[group] += 1
                yield Entry(f"{group} {count[group]}", _without_dates(text), blocks)
    for number, form in enumerate(forms("Support line"), 1):
        view = checked_view(form)
        yield Entry(f"form {number}", view["title"]["text"], view["blocks"], "modal")


def _groups() -> Iterator[tuple[str, Iterable[Message]]]:
    yield from screens.groups("Support line")
    yield "answer", other_screens("Support line")


def level(words: str) -> float:
    """Years of school it takes to read this (https://en.wikipedia.org/wiki/Automated_readability_index)."""
    sentences = _sentences(words)
    found = [word for sentence in sentences for word in sentence]
    if not found:
        return 0.0
    return max(0.0, round(4.71 * sum(map(len, found)) / len(found) + 0.5 * len(found) / len(sentences) - 21.43, 1))


def longest(words: str) -> int:
    """Words in the longest sentence."""
    return max(map(len, _sentences(words)), default=0)


def _sentences(words: str) -> list[list[str]]:
    found = (_WORD.findall(sentence) for sentence in _SENTENCE.split(_UNREAD.sub(" ", words)))
    return [sentence for sentence in found if sentence]


def as_text(entries: Iterable[Entry]) -> str:
    """One paragraph each."""
    return "\n".join(
        f"== {entry.name} · {len(entry.words)} characters, longest sentence {longest(entry.words)} words, "
        f"level {level(entry.words)}\n{entry.words}\n{'' if entry.text == entry.words else f'aloud: {entry.text}' + chr(10)}"
        for entry in entries
    )


def as_json(entries: Iterable[Entry]) -> str:
    """One line each, so that a change of words shows as a change of lines."""
    lines = [
        json.dumps(
            {
                "name": entry.name,
                "kind": entry.kind,
                "text": entry.text,
                "blocks": entry.blocks,
                "length": len(entry.words),
                "longest": longest(entry.words),
                "level": level(entry.words),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for entry in entries
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _lines(blocks: Iterable[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        texts = [block.get("text"), *block.get("fields", ()), block.get("label")]
        parts = [*block.get("elements", ()), *(block[key] for key in ("accessory", "element") if key in block)]
        yield from (_without_dates(text["text"]) for text in texts if text)
        yield from (_without_dates(part["text"]) for part in parts if part["type"] == "mrkdwn")
        yield from (line for part in parts if part["type"].endswith("_select") for line in _menu(part))
        buttons = [part for part in parts if part["type"] == "button"]
        if buttons:
            yield " ".join(f"[{button['text']['text']}]" for button in buttons)
        yield from (button["confirm"]["text"]["text"] for button in buttons if "confirm" in button)


def _menu(menu: dict[str, Any]) -> Iterator[str]:
    """Closed, what stands in it; open, its groups and options."""
    if "option_groups" not in menu:
        yield f"[{menu['placeholder']['text']} ▾]" if "placeholder" in menu else "[▾]"
    for group in menu.get("option_groups", ()):
        yield f"{group['label']['text']}:"
        for option in group["options"]:
            below = option.get("description", {}).get("text", "")
            yield f"- {option['text']['text']}" + (f" / {below}" if below else "")


def _without_dates(text: str) -> str:
    return _DATE.sub(r"\1", text)


def main() -> None:
    """Write both."""
    entries = list(catalogue())
    TEXTS.write_text(as_text(entries), encoding="utf-8")
    DRAWN.write_text(as_json(entries), encoding="utf-8")


if __name__ == "__main__":
    main()
