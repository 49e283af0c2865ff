"""No picture of the README is older than what the bot draws; ``tests/browser/test_pictures.py`` asks the page the
same.
"""

from typing import Final

from tests.pictures import DRAWN, FOLDER, ROOT, drawn_blocks, kept

HOW: Final = "what a picture of the README shows has changed: run `python -m tests.pictures`, look at them, and commit what it writes"


def test_each_picture_shows_what_the_bot_draws() -> None:
    assert {name: hashes[0] for name, hashes in kept().items()} == drawn_blocks(), HOW


def test_each_picture_is_there_is_small_and_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [name for name in kept() if name != "look"]
    files = [FOLDER / f"{name}.png" for name in names]
    assert {*files, DRAWN} == set(FOLDER.iterdir())
    assert [file.name for file in files if file.stat().st_size > 120_000] == []
    assert [file.name for file in files if f"](docs/pictures/{file.name})" not in readme] == []
