"""Keep what outlives the process: the audit chain, stops, watches, alerts, and the durable workflows.

::

    stop_store, bulk_store, watch_store, alert_store, baseline_store     one store for each thing that is kept
    audit, audit_archive           the chain of records, and how it is exported and cut
    durable_workflows              each press as a workflow of DBOS
    step_results, workflow_rows    results of its steps, and its rows in DBOS's tables
    replicas                       several bots on one PostgreSQL: signs of life, leases, take-over
    database, sqlite, tables, migrations    the connections, the SQLite file, the tables and their upgrades
    health, metrics                what the doctor looks at, and what is counted
"""

import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

_LATER: Final = ("psycopg", "psycopg.errors", "yaml")
"""DBOS imports them whatever it is set to: PostgreSQL's driver, and what reads a file of settings. With SQLite the one
is asked for when a statement has failed, the other never: 10 MB, and a twelfth of the start.
"""
_LOADING: Final = threading.RLock()


class _Later(ModuleType):
    """A module that is loaded when anything of it is asked for.

    Decision: not ``importlib.util.LazyLoader``, which loads as soon as a second ``import`` names the module.
    """

    def __getattr__(self, name: str) -> Any:
        with _LOADING:
            spec = self.__spec__
            if type(self) is _Later and "_loading" not in self.__dict__ and spec and spec.loader:
                self.__dict__["_loading"] = True  # what it loads asks for parts of it that are not there yet
                try:
                    spec.loader.exec_module(self)
                    self.__class__ = ModuleType  # type: ignore[assignment] # it is whole now
                finally:
                    del self.__dict__["_loading"]
        return ModuleType.__getattribute__(self, name)


def _later(name: str) -> None:
    if name in sys.modules or (spec := find_spec(name)) is None:
        return
    module = sys.modules[name] = module_from_spec(spec)
    module.__class__ = _Later
    package, _, own_name = name.rpartition(".")
    if package:
        setattr(sys.modules[package], own_name, module)


for _name in _LATER:
    _later(_name)
