"""How every benchmark tells its figures: one JSON line on standard output; what is logged meanwhile goes to the
other.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog


def tell(measured: Coroutine[Any, Any, dict[str, Any]]) -> None:
    """Run it, and print what it gives."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(json.dumps(asyncio.run(measured)), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them is not above; ``values`` in any order, not empty."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
