"""The documents, and the docstrings of packages, name only what is there."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bot.activeflows.stopping import max_ages
from bot.slack.grammar.table import COMMANDS, parse
from bot.slack.people.identity import HEARD, REFUSED, UNTURNED
from tests.contract.test_repository import ROOT, lines, tracked

DOCUMENTS: Final = [
    path
    for path in tracked()
    if path.suffix == ".md"
    and (path.parts[0] == "docs" or path.name in {"README.md", "CONTRIBUTING.md", "SECURITY.md"})
]
PACKAGES: Final = [path for path in tracked() if path.parts[0] == "bot" and path.name == "__init__.py"]
PATH: Final = re.compile(r"(?<![\w/.-])(?:bot|tests|docs|deploy|\.ci|\.github)/[\w./-]*\w/?")
FILE: Final = re.compile(r"(?<![\w/.-])[\w-]+(?:/[\w-]+)*\.py\b")
LINK: Final = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
MODULE: Final = re.compile(r"python -m ((?:tests|bot)[\w.]*)")


def text_of(path: Path) -> str:
    return "\n".join(lines(path))


def docstring_of(package: Path) -> str:
    return ast.get_docstring(ast.parse(text_of(package))) or ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_each_path_in_a_document_exists(document: Path) -> None:
    assert [said for said in PATH.findall(text_of(document)) if not (ROOT / said).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_each_file_that_is_named_shortly_exists(document: Path) -> None:
    known = [f"/{path}" for path in tracked()]
    named = FILE.findall(text_of(document))
    assert [said for said in named if not any(path.endswith(f"/{said}") for path in known)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_each_link_leads_somewhere(document: Path) -> None:
    assert list(_dead(document)) == []


def _dead(document: Path) -> Iterator[str]:
    for target, title in LINK.findall(text_of(document)):
        there = ROOT / document.parent / target if target else ROOT / document
        if not there.exists():
            yield target
        elif title and title not in _titles(there):
            yield f"{target}#{title}"


def _titles(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_each_program_to_be_run_is_there(document: Path) -> None:
    assert [name for name in MODULE.findall(text_of(document)) if importlib.util.find_spec(name) is None] == []


def test_each_command_that_the_readme_shows_is_understood_and_each_word_is_shown() -> None:
    shown = re.findall(r"`/flows ([^`\n]+)`", text_of(Path("README.md")))
    for line in shown:
        parse(line)
    assert {line.split()[0] for line in shown} == {line.word.split()[0] for line in COMMANDS} - {"unwatch"}


def test_the_tests_of_each_promise_are_there() -> None:
    """A test that is named without its folder lies beside the one that is named before it."""
    table = text_of(Path("README.md")).partition("| promise | tests |")[2].partition("\n\n")[0]
    named = re.findall(r"`([\w./]+)`", table)
    assert len(named) > 30
    beside, missing = Path(), []
    for name in named:
        path = Path(name) if "/" in name else beside / name
        beside = path if name.endswith("/") else path.parent
        if not (ROOT / path).exists():
            missing.append(str(path))
    assert missing == []


def test_the_ages_of_facts_in_the_policy_document_are_those_of_the_code() -> None:
    text = text_of(Path("docs/policy.md")).partition("## How old a fact may be")[2].partition("\n## ")[0]
    ages = [re.split(r" *\| *", line)[2] for line in text.splitlines() if line.startswith("|")][2:]
    before = max_ages.FACTS + max_ages.LOOK
    assert ages[:3] == ["0", f"{max_ages.LOOK:g}", f"{max_ages.PERMIT:g}"]
    assert ages[3].startswith(f"{before:g}; {UNTURNED:g} where")
    assert f"of the last {UNTURNED:g} s ({HEARD:g} s while" in text.replace("\n", " ")
    assert f"from the last refusal for {REFUSED:g} s" in text.replace("\n", " ")


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_docstring_of_a_package_names_what_is_in_it(package: Path) -> None:
    """Every path in it exists; one with a table in it names each module of the package, and no other."""
    said = docstring_of(package)
    assert len(said) > 20
    assert [path for path in PATH.findall(said) if not (ROOT / path).exists()] == []
    below = [path.relative_to(package.parent) for path in tracked() if path.is_relative_to(package.parent)]
    modules = {path.parts[0].removesuffix(".py") for path in below if path.suffix == ".py"} - {"__init__", "__main__"}
    if "\n::\n" in said or "::\n\n" in said:
        assert [name for name in sorted(modules) if not re.search(rf"\b{name}\b", said)] == []
    if package.parent != Path("bot"):  # whose table is a tree
        firsts = re.findall(r"^    (\w+)/?  ", said, re.MULTILINE)
        assert [name for name in firsts if name not in modules] == []
