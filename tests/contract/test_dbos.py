"""What the ledger's refusal of foreign rows rests on: there is one way in DBOS from a row to code, and it is closed.

A newer DBOS with another one fails here: look at it, close it in ``bot.ledger.foreign_rows``, and then name it below.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import dbos

_DANGEROUS = {
    *(
        "pickle",
        "cPickle",
        "_pickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "jsonpickle",
        "joblib",
        "pandas",
        "torch",
    ),
    *("importlib", "runpy", "pkgutil", "code", "codeop", "zipimport"),
}
_KNOWN = {
    ("_serialization.py", "pickle"): "DefaultSerializer, replaced",
    ("_enterprise.py", "importlib"): "one module by a name of its own, which is not installed",
    ("_utils.py", "importlib"): "its own version",
}
_CALLS = {"eval", "exec", "compile", "__import__", "unsafe_load", "full_load"}
_LIBRARY = Path(dbos.__file__).parent


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(_LIBRARY.rglob("*.py")):
        inside = path.relative_to(_LIBRARY)
        if inside.parts[0] not in {"cli", "_templates"}:  # programs of their own, which the bot does not run
            yield str(inside), ast.parse(path.read_text(encoding="utf-8"))


def test_no_other_module_of_dbos_imports_what_makes_code_of_data() -> None:
    found = {
        (name, word.partition(".")[0])
        for name, module in _modules()
        for node in ast.walk(module)
        for word in _imported(node)
        if word.partition(".")[0] in _DANGEROUS
    }
    assert found == set(_KNOWN)


def test_nothing_in_dbos_calls_what_runs_text() -> None:
    called = {
        (name, word)
        for name, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and (word := _name(node.func)) in _CALLS
    }
    assert {call for call in called if call[1] != "compile"} == set()
    assert {name for name, word in called if word == "compile"} <= {
        "_sys_db.py",
        "_dbos_config.py",
    }  # SQL, and patterns


def test_it_unpickles_in_the_one_place_that_is_replaced() -> None:
    (module,) = (module for name, module in _modules() if name == "_serialization.py")
    places = {
        f"{outer.name}.{inner.name}"
        for outer in ast.walk(module)
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.FunctionDef)
        for node in ast.walk(inner)
        if isinstance(node, ast.Attribute) and _name(node.value) == "pickle"
    }
    everywhere = sum(isinstance(n, ast.Attribute) and _name(n.value) == "pickle" for n in ast.walk(module))
    assert places == {"DefaultSerializer.serialize", "DefaultSerializer.deserialize"}
    assert everywhere == 2


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
