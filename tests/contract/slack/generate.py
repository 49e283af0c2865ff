"""Write `schemas.json`: JSON Schemas of what Slack says and takes, made from Slack's own TypeScript packages.

Run it by hand (`python -m tests.contract.slack.generate [PACKAGE@VERSION …]`) when a newer version of them matters; it
needs Node.js and npm. The limits that stand in the packages' comments ("Maximum length for this field is 75
characters", "Maximum number of items is 10") become keywords, descriptions are left out, and only what the bot and the
simulated Slack use is kept. The versions are written into the file.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

HERE = Path(__file__).parent
PACKAGES = ["@slack/types", "@slack/bolt", "@slack/web-api", "ts-json-schema-generator"]
METHODS = [
    *("ApiTest", "AppsConnectionsOpen", "AuthTest", "BotsInfo"),
    *("ChatDelete", "ChatGetPermalink", "ChatPostEphemeral", "ChatPostMessage", "ChatUpdate"),
    *("ConversationsHistory", "ConversationsInfo", "ConversationsMembers", "ConversationsOpen"),
    *("UsergroupsList", "UsergroupsUsersList", "UsersInfo"),
    *("ViewsOpen", "ViewsPublish", "ViewsPush", "ViewsUpdate"),
]
SPELLED = {"ApiTest": "APITest"}  # where the name of the arguments is not that of the answer
BOLT = ["BlockAction", "BlockOptions", "BlockSuggestion", "GlobalShortcut", "MessageShortcut", "RespondArguments"]
BOLT += ["SlashCommand", "ViewClosedAction", "ViewResponseAction", "ViewSubmitAction"]
TYPES = ["AppMentionEvent", "GenericMessageEvent", "HomeView", "KnownBlock", "MessageChangedEvent"]
TYPES += ["MessageDeletedEvent", "ModalView"]
TSCONFIG = {"module": "nodenext", "moduleResolution": "nodenext", "target": "es2022", "strict": True}

ROOTS = [*TYPES, *BOLT, *(f"{m}Response" for m in METHODS), *(f"{SPELLED.get(m, m)}Arguments" for m in METHODS)]


def _without_needs(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in schema.items() if key != "required"}


def _as_slack_sends(schema: dict[str, Any]) -> dict[str, Any]:
    enterprise = {"anyOf": [schema["properties"]["enterprise"], {"type": "null"}]}
    needed = [key for key in schema["required"] if key != "response_url"]
    return {**schema, "properties": {**schema["properties"], "enterprise": enterprise}, "required": needed}


MENDED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    # It is an Omit over alternatives; the generator takes the needs of all of them for those of each.
    "RespondArguments": _without_needs,
    # A press echoes the confirm object of Block Kit; the type is that of the older attachments.
    "Confirmation": lambda _: {"$ref": f"{_DEFINED}ConfirmationDialog"},
    # Slack's own samples have `"enterprise": null` outside of an organisation, and no response_url for a press in a
    # view.
    **dict.fromkeys(
        [
            *("BlockAction", "BlockSuggestion", "GlobalShortcut", "MessageShortcut"),
            *("ViewClosedAction", "ViewSubmitAction"),
        ],
        _as_slack_sends,
    ),
}
"""Where the packages' types and Slack's own documentation disagree."""

_ECHOED = {"blocks", "attachments", "files"}
_DEFINED = "#/definitions/"
_NUMBER = r"(?:of |is |of `|is `)?`?([\d,]+)`?"
_ITEMS = re.compile(
    rf"(?:[Mm]aximum number of (?:items|options|option groups)|[Mm]ax(?:imum)?) {_NUMBER}(?: (?P<what>[a-z]+))?"
)
_LENGTH = re.compile(
    rf"[Mm]aximum length (?:for|of)?[^.]*?{_NUMBER} characters|[Mm]aximum length is {_NUMBER} characters"
)
_SHORTEST = re.compile(rf"minimum length (?:for this field )?{_NUMBER}")


def main(wanted: list[str]) -> None:
    """Install the packages in a folder of their own, generate, tidy up, and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "package.json").write_text('{"private": true}')
        _run(work, "npm", "install", "--no-audit", "--no-fund", *(wanted or PACKAGES))
        versions = ", ".join(f"{name} {_version(work, name)}" for name in PACKAGES)
        (work / "shapes.ts").write_text("\n".join(_shapes()))
        (work / "tsconfig.json").write_text(json.dumps({"compilerOptions": TSCONFIG, "files": ["shapes.ts"]}))
        (work / "roots.json").write_text(json.dumps(ROOTS))
        shutil.copy(HERE / "schemas.mjs", work)
        made = json.loads(_run(work, "node", "schemas.mjs"))
    definitions = _together(made)
    lines = (f"{json.dumps(name)}: {json.dumps(definitions[name], sort_keys=True)}" for name in sorted(definitions))
    head = f'"$schema": "http://json-schema.org/draft-07/schema#",\n"$comment": {json.dumps(versions)},'
    (HERE / "schemas.json").write_text(f'{{\n{head}\n"definitions": {{\n{("," + chr(10)).join(lines)}\n}}\n}}\n')
    print(f"{len(definitions)} definitions from {versions}")


def _together(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return all definitions. Those of an answer stand apart: the packages made them from samples, not from rules."""
    together: dict[str, Any] = {}
    for root, definitions in made.items():
        answer = root.endswith("Response")
        for typescript, schema in definitions.items():
            prefix = f"{root}/" if answer else ""
            tidy = _tidied(schema, prefix)
            name = prefix + _name(typescript)
            together[name] = _sampled(tidy) if answer else tidy
    together["Block"] = {"not": {}}  # a block of whatever type: none that Slack knows
    for name, mended in MENDED.items():
        together[name] = mended(together[name])
    return {name: together[name] for name in _reached(together, ROOTS)}


def _reached(definitions: dict[str, Any], roots: list[str]) -> set[str]:
    kept: set[str] = set()
    ahead = [f"{root}/{root}" if root.endswith("Response") else root for root in roots]
    while ahead:
        name = ahead.pop()
        if name not in kept:
            kept.add(name)
            found = re.findall(rf'"{_DEFINED}([^"]+)"', json.dumps(definitions[name]))
            ahead += [reference.replace("~1", "/") for reference in found]
    return kept


def _sampled(schema: Any) -> Any:
    """Return the schema of an answer: more keys, other words and null may come, only the types hold.

    Blocks in an answer are those that the bot sent, and were judged then; their types here come from a few samples.
    """
    if isinstance(schema, list):
        return [_sampled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {
        key: _sampled(item) for key, item in schema.items() if key not in {"additionalProperties", "enum", "const"}
    }
    needed = schema.get("required", [])
    properties = schema.get("properties")  # which may be the name of a property, too
    if isinstance(properties, dict) and all(isinstance(inside, dict) for inside in properties.values()):
        loose["properties"] |= {key: {"type": "array"} for key in _ECHOED & loose["properties"].keys()}
        inside = loose["properties"].items()
        loose["properties"] = {k: p if k in needed else {"anyOf": [p, {"type": "null"}]} for k, p in inside}
    return loose


def _run(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def _version(folder: Path, package: str) -> str:
    return str(json.loads((folder / "node_modules" / package / "package.json").read_text())["version"])


def _shapes() -> Iterator[str]:
    """Yield a TypeScript file that exports what is wanted."""
    methods = [name for name in ROOTS if name not in {*TYPES, *BOLT}]
    for package, names in zip(PACKAGES, (TYPES, BOLT, methods), strict=False):
        yield f'import type {{ {", ".join(names)} }} from "{package}";'
    yield from (f"export type Of{name} = {name};" for name in ROOTS)


def _name(typescript: str) -> str:
    """Return a name without the signs of TypeScript's generics."""
    return re.sub(r"\W+", "_", unquote(typescript)).strip("_")


def _tidied(schema: Any, prefix: str) -> Any:
    """Return the schema without descriptions, with the limits that stood in them, its references under the prefix."""
    if isinstance(schema, list):
        return [_tidied(item, prefix) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        key: _tidied(item, prefix) for key, item in schema.items() if key != "description" or isinstance(item, dict)
    }
    if isinstance(schema.get("$ref"), str):
        tidy["$ref"] = _DEFINED + (prefix + _name(schema["$ref"].removeprefix(_DEFINED))).replace("/", "~1")
    said = schema.get("description")
    return _limited(tidy, said) if isinstance(said, str) else tidy


def _limited(schema: dict[str, Any], said: str) -> dict[str, Any]:
    said = " ".join(said.split())
    longest, shortest, most = _LENGTH.search(said), _SHORTEST.search(said), _most(said)
    if schema.get("type") == "array":
        inner = {"items": _with_text(schema["items"], longest)} if longest and "each item" in said else {}
        return {**schema, **inner, **({"maxItems": most} if most else {})}
    limits = {"maxLength": _first(longest)} if longest else {}
    limits |= {"minLength": _first(shortest)} if shortest else {}
    if schema.get("type") == "string":
        return {**schema, **limits}
    return _with_text(schema, longest)


def _most(said: str) -> int | None:
    said = re.sub(r"[Mm]ax(?:imum)?(?: length)?[^.]*?characters", "", said)
    found = _ITEMS.search(said) or re.search(rf"maximum of {_NUMBER}", said)
    return _first(found) if found else None


def _with_text(schema: dict[str, Any], longest: re.Match[str] | None) -> dict[str, Any]:
    """Return the schema of a text object whose text is limited: `$ref` takes no keywords beside itself in draft 7."""
    if longest is None or not ({"$ref", "anyOf"} & schema.keys()):
        return schema
    text = {"properties": {"text": {"maxLength": _first(longest)}}}
    return {"allOf": [schema, text]}


def _first(found: re.Match[str]) -> int:
    return int(next(group for group in found.groups() if group and group[0].isdigit()).replace(",", ""))


if __name__ == "__main__":
    main(sys.argv[1:])
