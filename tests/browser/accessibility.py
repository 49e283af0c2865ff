"""axe-core, fetched from npm once for each machine: https://github.com/dequelabs/axe-core (MPL 2.0, so not kept
here).
"""

import subprocess
import tarfile
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from playwright.async_api import Page

VERSION = "4.10.3"
WITHIN = 120  # seconds for npm
SEVERE = {"serious", "critical"}
_VIOLATIONS = "async rules => (await axe.run(document, {resultTypes: ['violations'], ...rules})).violations"
_COLOURS = {"runOnly": ["color-contrast"]}


def axe_core(cache: Path) -> str:
    """The library's text. Skips the test, in words, where npm is not at hand or does not answer."""
    kept = cache / f"axe-core-{VERSION}.js"
    if not kept.is_file():
        npm = which("npm")
        if npm is None:
            pytest.skip("no npm: axe-core can't be fetched")
        cache.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(
            [npm, "pack", "--silent", f"axe-core@{VERSION}"],
            cwd=cache,
            capture_output=True,
            timeout=WITHIN,
            check=False,
        )
        if fetched.returncode:
            pytest.skip("npm does not answer: axe-core can't be fetched")
        with tarfile.open(cache / f"axe-core-{VERSION}.tgz") as packed:
            found = packed.extractfile("package/axe.min.js")
            assert found is not None
            kept.write_bytes(found.read())
    return kept.read_text(encoding="utf-8")


async def faults_of(page: Page, axe: str, *, colours: bool = False) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now; or in its colours alone."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(f"() => {{ {axe}; }}")
    found: list[dict[str, Any]] = await page.evaluate(
        _VIOLATIONS, _COLOURS if colours else {}
    )  # what passes is longer, and nobody reads it
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        if one["impact"] in SEVERE
        for node in one["nodes"]
    ]
