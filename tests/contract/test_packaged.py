"""What a package of this project holds: everything the program needs to run, and everything one needs to build it."""

import re
import runpy
from pathlib import Path
from typing import Final

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tests.contract.test_repository import tracked

ROOT: Final = Path(__file__).resolve().parents[2]


def test_the_wheel_holds_the_program_and_the_demos_page_and_nothing_else() -> None:
    held = {Path(file.distribution_path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert held == {path for path in tracked() if path.parts[0] == "bot"} | {Path("bot/manifest.yml")}
    assert Path("bot/demo/page/index.html") in held
    assert Path("bot/py.typed") in held


def test_each_link_of_the_readme_leads_somewhere_on_a_package_index() -> None:
    readme = str(WheelBuilder(str(ROOT)).metadata.core.readme)
    assert "flows-bot demo" in readme
    assert [link for link in re.findall(r"\]\(([^)]*)\)", readme) if not link.startswith("https://")] == []
    assert "docs/operating.md" in readme, "the words of a link stay"


def test_with_a_repository_links_and_pictures_lead_there() -> None:
    text = "![demo](docs/pictures/list.png) and [how](docs/a.md#b), [x](https://x.example)"
    there, shown = "https://example.com/us/bot", runpy.run_path(str(ROOT / "hatch_build.py"))["shown"]
    assert shown(text, there) == (
        f"![demo]({there}/raw/main/docs/pictures/list.png) and [how]({there}/blob/main/docs/a.md#b), [x](https://x.example)"
    )
    assert shown(text, "") == " and how, [x](https://x.example)"


def test_the_source_distribution_holds_all_that_is_here() -> None:
    held = {Path(file.distribution_path) for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    assert set(tracked()) - held == set()
