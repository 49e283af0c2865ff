"""What is in ``deploy/``: every name, path and port in it is one that the bot has."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from starlette.routing import Route

from bot.settings import Settings
from bot.slack.transport.http import always_ready, http_app
from tests.contract.test_repository import ROOT

DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
VARIABLES: Final = {name.upper() for name in Settings.model_fields}
OURS: Final = re.compile(r"\b((?:FLOWS_BOT|SLACK|VOIPBIN)_[A-Z_]+)(?==|: |\b)")
PORT: Final = Settings.model_fields["flows_bot_port"].default
UNIT: Final = DEPLOY / "systemd" / "flows-bot.service"


def objects() -> list[dict[str, Any]]:
    return [each for path in KUBERNETES for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def named(kind: str) -> dict[str, Any]:
    return next(each for each in objects() if each["kind"] == kind)


@pytest.fixture
def pod() -> dict[str, Any]:
    spec: dict[str, Any] = named("Deployment")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def configured() -> Iterator[str]:
    """Every line in which a variable of the bot is given a value."""
    for path in (ROOT / "Dockerfile", DEPLOY / "compose.yaml", UNIT, *KUBERNETES):
        yield from (line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#"))


def test_each_variable_is_one_that_the_bot_reads() -> None:
    found = {name for line in configured() for name in OURS.findall(line)}
    assert len(found) > 5
    assert found - VARIABLES == set()


def test_probes_ask_what_is_served_where_it_is_served(container: dict[str, Any]) -> None:
    routes = http_app(None, always_ready, None).routes
    served = {route.path for route in routes if isinstance(route, Route)}
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["path"] for probe in probes.values()} <= served
    assert probes["readiness"]["path"] == "/readyz"
    assert probes["liveness"]["path"] == "/healthz", "a restart does not heal what is not ready"
    (port,) = container["ports"]
    assert port["containerPort"] == PORT
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert named("Service")["spec"]["ports"][0]["targetPort"] == port["name"]
    assert {e["name"]: e.get("value") for e in container["env"]}["FLOWS_BOT_PORT"] == str(PORT)
    assert yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["bot"]["ports"] == [
        f"127.0.0.1:{PORT}:{PORT}"
    ]
    assert f"bot:{PORT}" in (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")


def test_the_policy_is_a_folder_that_is_swapped(pod: dict[str, Any], container: dict[str, Any]) -> None:
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert not [mount for mount in mounts.values() if "subPath" in mount]
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "policy")
    config = named("ConfigMap")
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    value = {e["name"]: e.get("value") for e in container["env"]}["FLOWS_BOT_POLICY"]
    assert value in {f"{mounts['policy']['mountPath']}/{name}" for name in config["data"]}


def test_each_secret_that_is_wanted_is_in_the_secret(pod: dict[str, Any], container: dict[str, Any]) -> None:
    secret = named("Secret")
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "secrets")
    there = {item["path"] for item in volume["secret"]["items"]}
    wanted = {e["value"].rpartition("/")[2] for e in container["env"] if e["name"].endswith("_FILE")}
    assert wanted == there
    keys = {e["valueFrom"]["secretKeyRef"]["key"] for e in container["env"] if "valueFrom" in e}
    assert wanted | keys == set(secret["stringData"])


def test_two_replicas_stay_while_nodes_are_drained_and_may_do_nothing_else(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    deployment = named("Deployment")["spec"]
    assert deployment["replicas"] == 2
    assert named("PodDisruptionBudget")["spec"]["minAvailable"] == 1
    assert pod["terminationGracePeriodSeconds"] >= 30
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    safe = container["securityContext"]
    assert safe["readOnlyRootFilesystem"] is True
    assert safe["allowPrivilegeEscalation"] is False
    assert safe["capabilities"] == {"drop": ["ALL"]}


def test_the_image_is_built_from_what_is_pinned() -> None:
    pins = set(re.findall(r"^([\w.-]+==\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("requirements.txt", "build-requirements.txt"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        assert set(re.findall(r"^([\w.-]+==\S+)", text, re.MULTILINE)) <= pins, f"{name}: CONTRIBUTING.md, Constraints"


def test_the_image_has_all_that_the_bot_runs_on() -> None:
    """Each dependency, and theirs on this machine."""
    text = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    pinned = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted, seen = [Requirement(line) for line in project["dependencies"]], set[str]()
    while wanted:
        requirement = wanted.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        assert canonicalize_name(requirement.name) in pinned, f"{requirement}: CONTRIBUTING.md, Constraints"
        for line in requires(requirement.name) or ():
            further = Requirement(line)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(further)


def test_the_demo_is_not_in_the_image_and_each_file_that_is_copied_may_be() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore.index("bot/demo") > ignore.index("!bot")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()
    }
    assert {f"!{name}" for name in copied} <= set(ignore)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    copy = tmp_path / UNIT.name  # with a program that is here
    copy.write_text(
        UNIT.read_text(encoding="utf-8").replace("/opt/flows-bot/bin/flows-bot", "/bin/true"), encoding="utf-8"
    )
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], check=False, capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout[-300:]
