"""What a package of this project holds: everything the program needs to run, and everything one needs to build it."""

from pathlib import Path
from typing import Final

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tests.contract.test_house import tracked

HOUSE: Final = Path(__file__).resolve().parents[2]


def test_the_wheel_holds_the_program_and_the_demos_page_and_nothing_else() -> None:
    held = {Path(file.distribution_path) for file in WheelBuilder(str(HOUSE)).recurse_included_files()}
    assert held == {path for path in tracked() if path.parts[0] == "bot"} | {Path("bot/manifest.yml")}
    assert Path("bot/demo/page/index.html") in held
    assert Path("bot/py.typed") in held


def test_the_source_distribution_holds_all_that_is_here() -> None:
    held = {Path(file.distribution_path) for file in SdistBuilder(str(HOUSE)).recurse_included_files()}
    assert set(tracked()) - held == set()
