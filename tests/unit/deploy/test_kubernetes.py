"""The Kubernetes manifests are what Kubernetes takes, start real commands, and ask the pages that mean what a probe
means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from telltale.settings import HEALTH_PORTS
from tests.unit.deploy.verbs import settings, unknown_options

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
OBJECTS: dict[str, dict[str, Any]] = {
    f"{one['kind']} {one['metadata']['name']}": one for path in FILES for one in yaml.safe_load_all(path.read_text())
}
PODS = {name: one["spec"]["template"] for name, one in OBJECTS.items() if "template" in one.get("spec", {})}
SERVICES = {name: pod for name, pod in PODS.items() if not name.startswith("Job")}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    [one] = pod["spec"]["containers"]
    return dict(one)


@pytest.mark.parametrize("version", ["1.29", "1.33", "1.37"])
@pytest.mark.parametrize("name", OBJECTS)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="the schemas are not installed (./test installs them)")
    validate.validate(OBJECTS[name], version, strict=True)


def test_only_the_migration_knows_the_owner_of_the_database() -> None:
    knows = [
        name for name, pod in PODS.items() if {"secretRef": {"name": "telltale-owner"}} in container(pod)["envFrom"]
    ]
    assert knows == ["Job telltale-migrate"]
    assert container(PODS[knows[0]])["envFrom"][-1] == {"secretRef": {"name": "telltale-owner"}}, "the last one counts"
    assert "@" not in OBJECTS["ConfigMap telltale"]["data"]["DATABASE_URL"]


def test_every_file_is_applied_but_the_secrets_that_are_yours() -> None:
    assert {path.name for path in FILES} - set(KUSTOMIZATION["resources"]) == {"secret.example.yaml"}
    assert {image["name"] for image in KUSTOMIZATION["images"]} == {container(pod)["image"] for pod in PODS.values()}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_real_command_with_real_settings(name: str) -> None:
    one = container(PODS[name])
    assert unknown_options(one["args"]) == set()
    assert {variable["name"] for variable in one.get("env", [])} <= settings()


@pytest.mark.parametrize(
    "name", ["ConfigMap telltale", "Secret telltale", "Secret telltale-texts", "Secret telltale-owner"]
)
def test_what_is_given_to_pods_is_a_setting(name: str) -> None:
    given = OBJECTS[name].get("data") or OBJECTS[name]["stringData"]
    assert set(given) <= settings()


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_rights_that_it_does_not_need(name: str) -> None:
    """The profile `restricted` of Kubernetes, and a root file system that cannot be written."""
    pod, one = PODS[name]["spec"], container(PODS[name])
    assert (
        pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 10001
    )  # as deploy/Dockerfile says
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert one["resources"]["limits"]["memory"] and one["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("name", PODS)
def test_kubernetes_sets_no_variables_that_look_like_settings(name: str) -> None:
    """A service called telltale-gateway would give every pod TELLTALE_GATEWAY_SERVICE_HOST, which no command takes."""
    assert PODS[name]["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", SERVICES)
def test_a_probe_restarts_only_who_hangs_and_holds_back_who_cannot_serve(name: str) -> None:
    one = container(SERVICES[name])
    port = next(port["containerPort"] for port in one["ports"] if port["name"] == "health")
    assert port == HEALTH_PORTS[one["name"]] and one["args"][0] == one["name"]
    asked = {probe: one[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked["livenessProbe"] == asked["startupProbe"] == {"path": "/health/live", "port": "health"}
    assert asked["readinessProbe"] == {"path": "/health/ready", "port": "health"}
    assert (
        one["livenessProbe"]["periodSeconds"] * one["livenessProbe"]["failureThreshold"] >= 30
    )  # longer than the longest honest pause
    assert SERVICES[name]["metadata"]["annotations"]["prometheus.io/port"] == str(port)


def test_there_are_as_many_gateways_as_shares() -> None:
    gateway = OBJECTS["StatefulSet telltale-gateway"]["spec"]
    [share] = [
        variable["value"] for variable in container(gateway["template"])["env"] if variable["name"] == "TELLTALE_SHARE"
    ]
    assert share == f"auto/{gateway['replicas']}"


@pytest.mark.parametrize("name", SERVICES)
def test_an_eviction_takes_one_at_a_time(name: str) -> None:
    own = SERVICES[name]["metadata"]["labels"]["app.kubernetes.io/name"]
    budget = OBJECTS[f"PodDisruptionBudget {own}"]["spec"]
    assert budget["selector"]["matchLabels"] == {"app.kubernetes.io/name": own} and budget["maxUnavailable"] == 1
    assert OBJECTS[name]["spec"]["replicas"] >= 2


def test_nobody_from_outside_reaches_a_health_port() -> None:
    everybody = OBJECTS["NetworkPolicy telltale"]["spec"]
    assert set(everybody["policyTypes"]) == {"Ingress", "Egress"}
    assert all("app.kubernetes.io/part-of" in pod["metadata"]["labels"] for pod in PODS.values())
    ways_in = [
        (rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], rule["ports"][0]["port"])
        for name, one in OBJECTS.items()
        if name.startswith("NetworkPolicy")
        for rule in one["spec"].get("ingress", [])
    ]
    assert sorted(ways_in) == [("ingress-nginx", "http"), ("monitoring", "health")]
    assert OBJECTS["Service telltale-dealer-api"]["spec"]["ports"] == [
        {"name": "http", "port": 80, "targetPort": "http"}
    ]
