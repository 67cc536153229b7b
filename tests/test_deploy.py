"""What deploy/ ships is whole: manifests fit their schemas, settings exist, nothing runs with more than it needs."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from server.settings import Settings, name_variable
from tests.support.replicas import needs

DEPLOY = Path(__file__).parents[1] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OF_SETTINGS = frozenset(map(name_variable, Settings.model_fields))


def manifests() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text("utf-8"))


def pods() -> Iterator[dict[str, Any]]:
    for each in manifests():
        if each["kind"] == "Deployment":
            yield each["spec"]["template"]["spec"]


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    return found


@pytest.mark.parametrize("manifest", list(manifests()), ids=lambda each: f"{each['kind']}/{each['metadata']['name']}")
def test_a_manifest_fits_the_schema_of_its_kind(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_a_slip_in_a_manifest_would_be_found() -> None:
    manifest = next(each for each in manifests() if each["kind"] == "Deployment")
    manifest["spec"]["template"]["spec"]["containers"][0]["readinessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("path", [path for path in DEPLOY.rglob("*") if path.is_file()], ids=lambda path: path.name)
def test_every_setting_named_is_one(path: Path) -> None:
    named = set(re.findall(r"NUDJ_[A-Z_]+\b", path.read_text("utf-8")))
    assert named <= OF_SETTINGS


def test_pods_are_unprivileged_read_only_and_bounded() -> None:
    for pod in pods():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            may = container["securityContext"]
            assert may["readOnlyRootFilesystem"] is True
            assert may["allowPrivilegeEscalation"] is False
            assert may["capabilities"]["drop"] == ["ALL"]
            assert "memory" in container["resources"]["limits"]


def test_no_pod_is_stopped_before_it_has_drained() -> None:
    pod = next(pod for pod in pods() if pod["containers"][0]["name"] == "server")
    drain_s = next(each for each in manifests() if each["kind"] == "ConfigMap")["data"][name_variable("drain_s")]
    assert pod["terminationGracePeriodSeconds"] >= float(drain_s) + 5
    replica = services()["server-1"]
    assert (
        float(replica["stop_grace_period"].rstrip("s")) >= float(replica["environment"][name_variable("drain_s")]) + 5
    )


def test_compose_runs_three_unprivileged_replicas_and_publishes_the_door_alone() -> None:
    replicas = [each for name, each in services().items() if name.startswith("server-")]
    assert len(replicas) == 3
    for each in replicas:
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
    assert [name for name, each in services().items() if "ports" in each] == ["nginx"]


def test_nginx_takes_the_configuration_as_it_is_shipped(tmp_path: Path) -> None:
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1")
    made = (needs("openssl"), *words, "-keyout", str(key), "-out", str(certificate))
    subprocess.run(made, check=True, capture_output=True)
    config = (DEPLOY / "nginx.conf").read_text("utf-8")
    config = config.replace("/tmp/", f"{tmp_path}/").replace("/etc/nginx/tls/", f"{tmp_path}/")
    config = re.sub(r"server-\d:", "127.0.0.1:", config)  # the names exist among the containers only
    path = tmp_path / "nginx.conf"
    path.write_text(config, "utf-8")
    said = subprocess.run((needs("nginx"), "-t", "-p", str(tmp_path), "-c", str(path)), capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "warn" not in said.stderr
