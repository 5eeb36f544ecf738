"""The Helm chart: what it renders is what Kubernetes and the Prometheus Operator take, and what its pods run works."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.generate.__main__ import files, in_chart
from grafana.generate.settings import Settings
from tests.conftest import ROOT
from tests.documentation import check, named, rows
from tests.exporter.running import LISTEN, Providers, Running
from tests.packaging.programs import passes, refuses

CHART = ROOT / "packaging/helm/sms-credit-exporter"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
OLDEST = re.findall(r">=([0-9.]+)", yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"])[0]
KUBERNETES = (OLDEST, "1.37.0")
"""The oldest that the chart is for, and the newest whose schemas are at hand."""

Tool = Callable[[str], str]
Start = Callable[..., AbstractAsyncContextManager[Running]]
Resource = Mapping[str, Any]

each_values = pytest.mark.parametrize("values", VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))


class Helm:
    """Helm, asked for this chart."""

    def __init__(self, tool: Tool) -> None:
        """Find it."""
        self._program = tool("packaging/bin/helm")

    def command(self, verb: str, *arguments: str | Path, version: str = OLDEST) -> Sequence[str | Path]:
        """Return a command about the chart, for a version of Kubernetes."""
        name = ["credit"] if verb == "template" else []
        return [self._program, verb, *name, CHART, f"--kube-version={version}", "--namespace=monitoring", *arguments]

    def rendered(self, *arguments: str | Path, version: str = OLDEST) -> str:
        """Return what the chart makes of values."""
        return passes(*self.command("template", *arguments, version=version))

    def resources(self, *arguments: str | Path) -> Mapping[str, Resource]:
        """Return the same, each resource by its kind and its name after the release's."""
        made = [each for each in yaml.safe_load_all(self.rendered(*arguments)) if each]
        return {f"{each['kind']} {each['metadata']['name'].partition('exporter')[2]}".strip(): each for each in made}


@pytest.fixture
def helm(tool: Tool) -> Helm:
    """Find Helm."""
    return Helm(tool)


@each_values
def test_helm_finds_nothing_wrong(helm: Helm, values: Path) -> None:
    """Warnings count too."""
    assert "0 chart(s) failed" in passes(*helm.command("lint", "--strict", f"--values={values}"))


@pytest.mark.parametrize("version", KUBERNETES)
@each_values
def test_kubernetes_takes_what_is_rendered(helm: Helm, tool: Tool, tmp_path: Path, values: Path, version: str) -> None:
    """By its own schemas, in which a field that does not exist is a mistake."""
    validate = [tool("packaging/bin/kubernetes-validate"), "--strict", "--no-warn", f"-k={version.rsplit('.', 1)[0]}"]
    file = tmp_path / "rendered.yaml"
    file.write_text(helm.rendered(f"--values={values}", version=version))
    told = passes(*validate, file)
    kinds = {
        each["kind"].lower() for each in yaml.safe_load_all(file.read_text()) if "monitoring" not in each["apiVersion"]
    }
    assert {kind for kind in kinds if f"passed for resource {kind}/" in told} == kinds

    file.write_text(file.read_text().replace("podManagementPolicy:", "podManagmentPolicy:"))
    assert "podManagmentPolicy" in refuses(*validate, file)


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema by which a field that does not exist is a mistake, as the API server has it since 1.27."""
    inner = {key: strict(value) if isinstance(value, dict) else value for key, value in schema.items()}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        inner["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        inner.setdefault("additionalProperties", False)
    if isinstance(pattern := schema.get("pattern"), str):
        inner["pattern"] = re.sub(r"^\^\(\?i\)", "(?i)^", pattern)  # Go takes flags anywhere, Python at the beginning
    return inner


def test_the_operator_takes_its_resources(helm: Helm, tool: Tool, tmp_path: Path) -> None:
    """By the schemas of its own custom resources."""
    program = tool("packaging/bin/check-jsonschema")
    resources = helm.resources(f"--values={CHART}/ci/everything-values.yaml")
    custom = {kind: each for kind, each in resources.items() if each["apiVersion"] == "monitoring.coreos.com/v1"}
    assert {"ServiceMonitor", "PrometheusRule"} == set(custom)
    for kind, resource in custom.items():
        definition = yaml.safe_load(
            (ROOT / f".tools/packaging/crds/monitoring.coreos.com_{kind.lower()}s.yaml").read_text()
        )
        [version] = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
        schema, file = tmp_path / f"{kind}.schema.json", tmp_path / f"{kind}.json"
        schema.write_text(json.dumps(strict(version["schema"]["openAPIV3Schema"])))
        file.write_text(json.dumps(resource))
        validate = [program, "--regex-variant=python", f"--schemafile={schema}", str(file)]
        passes(*validate)
        file.write_text(json.dumps({**resource, "spec": {**resource["spec"], "made-up": 1}}))
        assert "made-up" in refuses(*validate)


@pytest.mark.parametrize("promtool", ["promtool", "prometheus-3/usr/bin/promtool"])
def test_the_rules_are_the_ones_that_are_tested(helm: Helm, tool: Tool, tmp_path: Path, promtool: str) -> None:
    """Word for word, and for Prometheus they are rules."""
    rule = helm.resources(f"--values={CHART}/ci/everything-values.yaml")["PrometheusRule"]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(rule["spec"]))
    assert "SUCCESS" in passes(tool(promtool), "check", "rules", file)
    assert rule["spec"] == yaml.safe_load((ROOT / "grafana/prometheus/rules.yml").read_text())


def test_the_dashboards_are_the_ones_that_are_generated(helm: Helm) -> None:
    """The sidecar of Grafana finds them by a label."""
    shipped = helm.resources(f"--values={CHART}/ci/everything-values.yaml")["ConfigMap -dashboards"]
    assert {name: json.loads(text) for name, text in shipped["data"].items()} == {
        f"sms-credit-{file.name}": json.loads(file.read_text()) for file in (ROOT / "grafana/dashboards").iterdir()
    }
    assert shipped["metadata"]["labels"].items() >= {"grafana_dashboard": "yes"}.items()


def test_what_the_chart_holds_of_the_generated_files_is_what_is_generated() -> None:
    """Byte for byte, and nothing is left over; `scripts/generate` makes it so."""
    wanted = in_chart(files(Settings()))
    assert {file: file.read_text() for file in (CHART / "files").rglob("*") if file.is_file()} == wanted


@each_values
def test_pods_meet_the_restricted_standard(helm: Helm, values: Path) -> None:
    """What Kubernetes demands of pods in a namespace of this level, and that root's files are read-only besides."""
    pod = helm.resources(f"--values={values}")["StatefulSet"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    kinds = {kind for volume in pod["volumes"] for kind in volume} - {"name"}
    assert kinds <= {"projected", "secret", "emptyDir"}
    assert pod["automountServiceAccountToken"] is False


def test_the_user_is_the_one_of_the_image(helm: Helm) -> None:
    """By its number."""
    pod = helm.resources(f"--values={VALUES[0]}")["StatefulSet"]["spec"]["template"]["spec"]
    context = pod["securityContext"]
    [user] = re.findall(r"^USER (\S+)$", (ROOT / "packaging/Containerfile").read_text(), re.MULTILINE)
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--set=replicas=0"], "replicas", id="no replica"),
        pytest.param(["--set=replica=2"], "replica", id="a value that does not exist"),
        pytest.param(["--set=config.accounts[0].credentials.api_key=made-up"], "api_key", id="a secret in a ConfigMap"),
        pytest.param(
            ["--set-json=config={}", "--set-json=config.accounts=[]"], "give the exporter accounts", id="no account"
        ),
        pytest.param(["--set=image.digest=latest"], "digest", id="a digest that is none"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_installed(helm: Helm, arguments: Sequence[str], said: str) -> None:
    """The message names it."""
    smallest = f"--values={CHART}/ci/smallest-values.yaml"
    assert said in refuses(*helm.command("template", smallest, *arguments))
    helm.rendered(smallest)


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    """Its pods have no index, and each replica would watch nothing."""
    values = f"--values={CHART}/ci/smallest-values.yaml"
    assert "requires kubeVersion" in refuses(*helm.command("template", values, version="1.27.0"))


def at(folder: Path, container: Resource) -> Callable[[str], str]:
    """Return what puts the mounted folders into one of this machine."""
    mounted = sorted((each["mountPath"] for each in container["volumeMounts"]), key=len, reverse=True)

    def placed(text: str) -> str:
        return re.sub("|".join(map(re.escape, mounted)), lambda found: f"{folder}{found[0]}", text)

    return placed


def environment(container: Resource, index: int) -> Mapping[str, str]:
    """Return the variables of a pod, as Kubernetes would set them."""
    downward = {"metadata.labels['apps.kubernetes.io/pod-index']": str(index)}
    return {
        each["name"]: each["value"] if "value" in each else downward[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in container["env"]
    }


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return an argument with the variables that it names, as the kubelet passes it on."""
    return re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], text)


def pods(resources: Mapping[str, Resource], folder: Path) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Lay out what each pod mounts; return its arguments and variables."""
    stateful = resources["StatefulSet"]["spec"]
    [container] = stateful["template"]["spec"]["containers"]
    for index in range(stateful["replicas"]):
        home = folder / f"pod-{index}"
        for mount in container["volumeMounts"]:
            Path(f"{home}{mount['mountPath']}").mkdir(parents=True)
        for name, text in resources["ConfigMap"]["data"].items():
            Path(f"{home}/etc/sms-credit-exporter/{name}").write_text(text)
        variables = environment(container, index)
        yield [at(home, container)(expanded(word, variables)) for word in container["args"]], variables


@pytest.mark.parametrize("replicas", [1, 3])
async def test_the_pods_watch_each_account_once(
    helm: Helm, start: Start, providers: Providers, tmp_path: Path, replicas: int
) -> None:
    """With the arguments and the variables that are rendered, and the secret beside the configuration."""
    names = [f"account-{number}" for number in range(9)]
    keys = {name: providers.add("23telecom").credentials["api_key"] for name in names}
    accounts = [
        {
            "name": name,
            "provider": "23telecom",
            "credentials": {"api_key_file": name},
            "base_url": providers.base_urls["23telecom"],
            "poll_interval": "1s",
        }
        for name in names
    ]
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"replicas": replicas, "config": {"accounts": accounts}, "existingSecret": "sms"}))
    seen: list[str] = []
    async with AsyncExitStack() as stack:
        for arguments, variables in pods(helm.resources(f"--values={values}"), tmp_path):
            config = Path(next(word for word in arguments if word.startswith("--config.file=")).partition("=")[2])
            for name, key in keys.items():
                (config.parent / name).write_text(key)
            exporter = await stack.enter_async_context(start(*arguments, LISTEN, **variables))
            shown = [re.findall(r'account="([^"]+)"', line)[0] for line in await exporter.metrics() if "_up{" in line]
            await exporter.shows(*(f'sms_credit_up{{account="{name}",provider="23telecom"}} 1.0' for name in shown))
            seen += shown
    assert sorted(seen) == names


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Return every value by its path, as one writes it in YAML."""
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in {"labels", "requests", "limits"}:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", json.dumps(value)


def test_every_value_is_told() -> None:
    """With its default."""
    told = ((named(name)[0], {"default": named(default)[0]}) for name, default, _ in rows(CHART / "README.md", "value"))
    true = {name: {"default": text} for name, text in leaves(yaml.safe_load((CHART / "values.yaml").read_text()))}
    check(CHART / "README.md", "value", told, true)


def test_every_value_is_in_the_schema_and_is_tried() -> None:
    """Each differs from its default in one of the files that are rendered."""
    default = dict(leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(schema["properties"]) - {"global"} == {name.partition(".")[0] for name in default}
    tried = {
        name for file in VALUES for name, text in leaves(yaml.safe_load(file.read_text())) if default.get(name) != text
    }
    assert {name for name in default if not any(each.startswith(name) for each in tried)} == set()


NOTES = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- tpl (.Files.Get "NOTES.txt") . | nindent 4 }}
"""
"""Helm shows notes only where there is a cluster, so they are rendered as something else."""


def test_the_notes_tell_how_to_look_at_it_and_what_is_off(tool: Tool, tmp_path: Path) -> None:
    """Of an installation that has everything, they tell nothing but how."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    (chart / "templates/NOTES.txt").rename(chart / "NOTES.txt")
    (chart / "templates/notes.yaml").write_text(NOTES)
    command = [tool("packaging/bin/helm"), "template", "credit", str(chart), f"--kube-version={OLDEST}"]
    notes = {
        file.name: passes(*command, "--show-only=templates/notes.yaml", f"--values={file}").partition("notes: |")[2]
        for file in VALUES
    }
    assert all("port-forward statefulset/credit" in text for text in notes.values())
    assert "serviceMonitor.enabled" in notes["smallest-values.yaml"]
    assert "persistence.enabled" in notes["secret-configuration-values.yaml"]
    assert re.findall(r"\w+\.enabled", notes["everything-values.yaml"]) == []
