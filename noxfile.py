"""The gates one by one, each in an environment of its own: ``pip install nox && nox -l``. ``.ci/run`` is all of
them.
"""

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def _installed(session: nox.Session) -> None:
    session.install("--no-deps", "--require-hashes", "-r", "constraints.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and import contracts."""
    _installed(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strictly."""
    _installed(session)
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every behaviour once; words behind ``--`` go to pytest."""
    _installed(session)
    session.run("pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """What only repeats, sweeps and soaks."""
    _installed(session)
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """How much of the bot the tests of every behaviour reach: four times as long as without counting."""
    _installed(session)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def mutants(session: nox.Session) -> None:
    """Break the gate, the authorisation, the policy and the budget in every small way; see what notices."""
    _installed(session)
    session.install("mutmut>=3.8")
    session.run("mutmut", "run", "--max-children", "2")
    session.run("mutmut", "results")


@nox.session
def site(session: nox.Session) -> None:
    """The documents as a site, in ``build/site``; a dead link is an error."""
    session.install("zensical>=0.0.70")
    listed = session.run("git", "ls-files", "*.md", "docs", "LICENSE", "manifest.yml", external=True, silent=True)
    documents = Path("build/documents")
    shutil.rmtree(documents, ignore_errors=True)
    for name in str(listed).split():
        (documents / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, documents / name)
    shutil.move(documents / "docs" / "site.yml", "build/mkdocs.yml")
    session.run("zensical", "build", "--strict", "--clean", "-f", "build/mkdocs.yml")
