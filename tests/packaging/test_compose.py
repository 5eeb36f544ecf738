"""The Compose file: what it mounts is there, and what its services run works, as far as that is to be had here."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, Providers, free_port, prometheus
from tests.grafana.servers import alertmanager
from tests.packaging.image import Image
from tests.packaging.programs import passes, refuses

FOLDER = ROOT / "packaging/compose"
YOURS, DEMO = ("compose.yaml",), ("compose.yaml", "compose.demo.yaml")

Tool = Callable[[str], str]
Project = Mapping[str, Any]

each_project = pytest.mark.parametrize("files", [YOURS, DEMO], ids=["with your accounts", "demo"])


def project(tool: Tool, files: tuple[str, ...]) -> Project:
    """Return the project as Docker Compose understands it."""
    named = [f"--file={file}" for file in files]
    told = passes(tool("packaging/bin/docker-compose"), *named, "config", "--format=json", cwd=FOLDER)
    understood: Project = json.loads(told)
    return understood


def mounted(service: Mapping[str, Any]) -> Mapping[str, Path]:
    """Return the files and folders of this machine that a container sees, by their place in it."""
    return {each["target"]: Path(each["source"]) for each in service.get("volumes", []) if each["type"] == "bind"}


@each_project
def test_what_is_mounted_is_in_the_repository(tool: Tool, files: tuple[str, ...]) -> None:
    """Docker would make a folder of a file that is missing. The secrets alone are yours to add."""
    services = project(tool, files)["services"]
    paths = [path for service in services.values() for path in mounted(service).values()]
    assert paths
    tracked = passes(tool("git"), "ls-files", cwd=ROOT).split()
    assert [path for path in paths if not any(Path(ROOT, name).is_relative_to(path) for name in tracked)] == []
    binds = [each for service in services.values() for each in service.get("volumes", []) if each["type"] == "bind"]
    assert all(each["read_only"] for each in binds)


def test_secrets_never_get_into_the_repository(tool: Tool) -> None:
    """Each stands in a file of a folder of which git sees nothing."""
    secrets = [each["file"] for each in project(tool, YOURS)["secrets"].values()]
    assert secrets
    assert passes(tool("git"), "check-ignore", *secrets, cwd=ROOT).split() == secrets
    assert "secrets" not in project(tool, DEMO)


@each_project
def test_no_container_can_do_more_than_it_must(tool: Tool, files: tuple[str, ...]) -> None:
    """Each is read-only and without capabilities, has a healthcheck, and is reached from this machine alone."""
    for name, service in project(tool, files)["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {port["host_ip"] for port in service["ports"]} == {"127.0.0.1"}, name
        assert "healthcheck" in service or "build" in service, name
        assert "build" in service or re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"]), name


def test_a_mistake_in_it_is_found(tool: Tool, tmp_path: Path) -> None:
    """So what is accepted has been looked at."""
    text = (FOLDER / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("depends_on: {prometheus:", "depends_on: {promeheus:"))
    assert "promeheus" in refuses(tool("packaging/bin/docker-compose"), "config", "--quiet", cwd=tmp_path)


def container(service: Mapping[str, Any], folder: Path) -> Callable[[str], str]:
    """Lay out what a container sees; return what leads a path in it there."""
    for target, source in mounted(service).items():
        place = Path(f"{folder}{target}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source)
    return lambda word: re.sub(r"(?<==)(?=/)", str(folder), word)


@pytest.mark.parametrize("promtool", ["promtool", "prometheus-3/usr/bin/promtool"])
def test_prometheus_takes_its_configuration(tool: Tool, tmp_path: Path, promtool: str) -> None:
    """With the rules where it looks for them."""
    service = project(tool, YOURS)["services"]["prometheus"]
    place = container(service, tmp_path)
    [config] = [place(word).partition("=")[2] for word in service["command"] if word.startswith("--config.file=")]
    told = passes(tool(promtool), "check", "config", config)
    assert "SUCCESS" in told
    assert re.search(r"SUCCESS: \d+ rules found", told)


def test_alertmanager_takes_its_configuration(tool: Tool, tmp_path: Path) -> None:
    """The shipped one."""
    service = project(tool, YOURS)["services"]["alertmanager"]
    place = container(service, tmp_path)
    [config] = [place(word).partition("=")[2] for word in service["command"] if word.startswith("--config.file=")]
    assert "SUCCESS" in passes(tool("amtool"), "check-config", config)


@pytest.mark.parametrize(
    ("ours", "shipped", "hosts"),
    [
        (
            "prometheus.yml",
            "prometheus/prometheus.yml",
            {"localhost:10767": "exporter:10767", "localhost:9093": "alertmanager:9093"},
        ),
        (
            "grafana-datasource.yml",
            "provisioning/datasources/sms-credit.yml",
            {"http://localhost:9090": "http://prometheus:9090"},
        ),
    ],
)
def test_what_is_written_anew_is_what_is_shipped_with_other_hosts(
    tool: Tool, ours: str, shipped: str, hosts: Mapping[str, str]
) -> None:
    """Nothing else differs, and each host is a service that has this port open."""
    text = (ROOT / "grafana" / shipped).read_text()
    for host, service in hosts.items():
        text = text.replace(host, service)
        name, port = re.findall(r"(\w+):(\d+)$", service)[0]
        assert int(port) in [each["target"] for each in project(tool, YOURS)["services"][name]["ports"]]
    theirs, mine = yaml.safe_load(text), yaml.safe_load((FOLDER / ours).read_text())
    for job in theirs.get("scrape_configs", []):
        job.pop("scrape_interval")  # the global one
    assert mine == theirs


async def test_the_exporter_runs_with_the_shipped_configuration(
    tool: Tool, image: Image, providers: Providers, http: httpx.AsyncClient
) -> None:
    """In the image, with the secret as a file, towards a simulated provider."""
    service = project(tool, YOURS)["services"]["exporter"]
    account = providers.add("23telecom")
    [secret] = service["secrets"]
    [(target, source)] = mounted(service).items()
    config = yaml.safe_load(source.read_text())
    config["accounts"][0] |= {"base_url": providers.base_urls["23telecom"], "poll_interval": "1s"}
    for path, text in (
        (target, yaml.safe_dump(config)),
        (f"/run/secrets/{secret['source']}", account.credentials["api_key"]),
    ):
        image.place(path).parent.mkdir(parents=True, exist_ok=True)
        image.place(path).write_text(text)

    command = service.get("command") or image.file.words("CMD")
    async with image.listening(http, *command, LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')


async def test_the_demo_runs_with_its_very_command(tool: Tool, image: Image, http: httpx.AsyncClient) -> None:
    """On another port, as this one may be taken."""
    command = project(tool, DEMO)["services"]["exporter"]["command"]
    port = free_port()
    moved = [word.replace(":10767", f":{port}") for word in command]
    assert moved != command
    async with image.listening(http, *moved) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')


async def test_the_healthchecks_of_prometheus_and_alertmanager(tool: Tool, tmp_path: Path) -> None:
    """By programs that their images bring; each says so when what it asks has gone."""
    services = project(tool, YOURS)["services"]
    programs = {"promtool": "prometheus-3/usr/bin/promtool", "amtool": "amtool"}

    def check(name: str, url: str) -> list[str]:
        _, program, *arguments = services[name]["healthcheck"]["test"]
        [port] = [str(each["target"]) for each in services[name]["ports"]]
        return [tool(programs[program]), *(word.replace(f"http://127.0.0.1:{port}", url) for word in arguments)]

    async with prometheus(tool("prometheus"), "127.0.0.1:1", tmp_path) as url:
        passes(*check("prometheus", url))
    refuses(*check("prometheus", url))
    config = yaml.safe_load((ROOT / "grafana/prometheus/alertmanager.yml").read_text())
    async with alertmanager(tool("prometheus-alertmanager"), tmp_path, config) as url:
        passes(*check("alertmanager", url))
    refuses(*check("alertmanager", url))
