"""The rules of the repository: what may lie where, how long it may be, and what no file of it may say."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import SecretStr

from bot.settings import ACCOUNT, AccountSettings, Settings

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST: Final = 600  # what changes together stands together: fewer files to open beat shorter ones
TOP: Final = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "bot",
    "deploy",
    "docs",
    "constraints.txt",
    "hatch_build.py",
    "manifest.yml",
    "noxfile.py",
    "pyproject.toml",
    "tests",
}
NAMELESS: Final = {"utils", "util", "helpers", "helper", "common", "core", "constants", "misc", "base", "shared"}
UNSAID: Final = tuple(
    re.compile(pattern.replace("·", ""))  # the dots keep this file from breaking its own rule
    for pattern in (
        r"(?<![\w.~-])/wo·rk\b",
        r"(?<![\w.~-])/ro·ot\b",
        r"/tmp/ve·nv\b",
        r"/opt/wh·eels\b",
        r"py·pi\.org",
        r"python·hosted\.org",
        r"registry\.np·mjs",
        r"deb\.deb·ian\.org",
    )
)


def tracked() -> list[Path]:
    """What git knows and the tree still has, relative to the top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def sources(*rooms: str, endings: frozenset[str] = frozenset({".py"})) -> list[Path]:
    return [path for path in tracked() if path.parts[0] in rooms and path.suffix in endings]


def lines(path: Path) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pinned() -> dict[str, Version]:
    """What constraints.txt names, with its version."""
    found = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines(Path("constraints.txt")))
    return {canonicalize_name(pin[1]): Version(pin[2]) for pin in found if pin}


def test_no_file_is_longer_than_one_sitting() -> None:
    files = sources("bot", "tests", endings=frozenset({".py", ".js", ".css"}))
    assert len(files) > 100
    assert {str(path): len(lines(path)) for path in files if len(lines(path)) > LONGEST} == {}


def test_every_module_is_named_after_what_it_does() -> None:
    assert [str(path) for path in sources("bot", "tests") if NAMELESS & {*path.parts[:-1], path.stem}] == []


def test_the_top_holds_only_what_a_reader_expects() -> None:
    assert {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")} <= TOP


def test_no_file_names_a_machine_or_a_registry() -> None:
    said = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path.suffix not in {".png", ".ico", ".woff2"}
        for number, line in enumerate(lines(path), 1)
        if any(pattern.search(line) for pattern in UNSAID)
    ]
    assert said == []


def test_every_test_that_a_document_names_is_there() -> None:
    there = {str(path) for path in sources("tests")}
    there |= {Path(path).name for path in there}  # in a list only the first one has its folder
    named = {
        (str(path), name)
        for path in tracked()
        if path.suffix == ".md"
        for name in re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py|tests/[\w/]+\.py)`", "\n".join(lines(path)))
    }
    assert len(named) > 50
    assert [f"{document}: {name}" for document, name in sorted(named) if name not in there] == []


def test_the_bot_does_not_ask_whether_it_is_in_a_demo() -> None:
    rooms = [path for path in sources("bot") if path.parts[1] != "demo"]
    assert [f"{path}: {name}" for path in rooms for name in _asked(path) if "demo" in name.lower()] == []


def _asked(path: Path) -> Iterator[str]:
    """Every name that a condition in that file depends on."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        condition = node.subject if isinstance(node, ast.Match) else getattr(node, "test", None)
        for part in ast.walk(condition) if isinstance(condition, ast.AST) else ():
            if isinstance(part, ast.Name | ast.Attribute):
                yield part.id if isinstance(part, ast.Name) else part.attr


def test_the_middle_imports_the_standard_library_and_itself() -> None:
    room = [path for path in sources("bot") if path.parts[1] == "activeflows"]
    assert len(room) > 20
    foreign = {name for path in room for name in _imported(path) if not name.startswith("bot.activeflows")}
    assert {name for name in foreign if name.partition(".")[0] not in sys.stdlib_module_names} == set()


def test_the_middle_knows_nothing_of_the_ways_back_into_slack() -> None:
    room = [path for path in sources("bot") if path.parts[1] == "activeflows"]
    known = re.compile("response_url|trigger_id|action_ts")
    assert [str(path) for path in room if known.search("\n".join(lines(path)))] == []


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_of_voipbin_nothing_is_asked_but_reads_a_stop_a_hang_up_and_a_login() -> None:
    """Above all no DELETE: it stops what runs before it deletes
    (https://api.voipbin.net/docs/activeflow_overview.html).
    """
    asked, carried = set[tuple[str, ...]](), list[tuple[str, ...]]()
    for path in sources("bot"):
        if path.parts[1] != "voipbin":
            continue
        for call in calls_in(path):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name == "Question":
                asked.add(tuple(re.sub(r"{.*?}", "{}", ast.unparse(part)).strip("f'") for part in call.args[:2]))
            if name == "request":
                carried.append(tuple(ast.unparse(part) for part in call.args))
            assert name not in {"post", "put", "patch", "delete", "stream"}, f"{path}:{call.lineno}"
    assert {method for method, _ in asked} == {"GET", "POST"}
    assert {path for method, path in asked if method != "GET"} == {"/activeflows/{}/stop", "/calls/{}/hangup"}
    assert carried == [("request.method", "str(request.url)")]  # what httpx hands over


def calls_in(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_every_wall_around_the_middle_is_as_wide_as_the_dependencies(project: dict[str, Any]) -> None:
    modules = {"psycopg-binary": "psycopg", "pyyaml": "yaml"}  # whom nobody imports by name
    walls = next(
        c for c in project["tool"]["importlinter"]["contracts"] if c.get("source_modules") == ["bot.activeflows"]
    )
    names = [Requirement(line).name for line in project["project"]["dependencies"]]
    expected = {modules.get(name, name.replace("-", "_")) for name in names}
    assert set(walls["forbidden_modules"]) == expected


def test_constraints_hold_every_dependency_in_a_version_that_is_allowed(
    project: dict[str, Any], pinned: dict[str, Version]
) -> None:
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    requirements = [Requirement(line) for line in wanted]
    assert [r.name for r in requirements if canonicalize_name(r.name) not in pinned] == []
    assert [str(r) for r in requirements if pinned[canonicalize_name(r.name)] not in r.specifier] == []


def test_every_line_of_the_constraints_is_a_hash_checked_pin_and_no_address() -> None:
    text = "\n".join(line for line in lines(Path("constraints.txt")) if not line.lstrip().startswith("#"))
    assert "://" not in text
    assert " @ " not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 50
    pin = re.compile(r"[\w.-]+==[\w.!+]+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")
    assert [entry.splitlines()[0] for entry in entries if not pin.fullmatch(entry.strip())] == []


def test_the_example_environment_names_every_variable_with_its_default() -> None:
    found = (re.fullmatch(r"#?([A-Z_]+)=(.*)", line) for line in lines(Path(".env.example")))
    example = {variable[1]: variable[2] for variable in found if variable}
    defaults = {name.upper(): _typed(field.default) for name, field in Settings.model_fields.items()}
    of_account = {f"{ACCOUNT}STAGING__{name.upper()}": "" for name in AccountSettings.model_fields}
    assert defaults.pop("VOIPBIN_ACCOUNT") == "{}"
    assert {**defaults, **of_account, "FLOWS_BOT_POLICY": "policy.toml"} == example  # no policy is no example


def _typed(default: object) -> str:
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    return "" if plain is None else f"{plain:g}" if isinstance(plain, float) else _lower_if_bool(plain)


def _lower_if_bool(plain: object) -> str:
    return str(plain).lower() if isinstance(plain, bool) else str(plain)
