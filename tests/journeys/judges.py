"""What judges an example of a document: for each kind of file, the program that is to read it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import yaml

from sms_credit_exporter.config import ConfigError
from sms_credit_exporter.config.web import load_web
from tests.conftest import ROOT
from tests.documentation import Block, blocks

Tool = Callable[[str], str]

CHART = ROOT / "packaging/helm/sms-credit-exporter"
BLUEPRINTS = ROOT / "blueprints"
HOME_ASSISTANT = "ha-2026.11/bin/python"
GUIDE = Path("docs/home-assistant.md")

MADE_UP_KEY = "made-up-key"


@dataclass(frozen=True)
class Bench:
    """An empty folder, and what finds programs."""

    folder: Path
    tool: Tool

    def write(self, name: str, text: str) -> Path:
        """Write a file; it may be said to lie in a folder of its own, but never outside."""
        file = self.folder / name
        assert file.resolve().is_relative_to(self.folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def complaint(self, *command: str | Path, **env: str) -> str:
        """Run a program; return what it says if it is not content."""
        ran = subprocess.run(
            [*map(str, command)],
            cwd=self.folder,
            env={**os.environ, **env},
            check=False,
            capture_output=True,
            text=True,
        )
        return (ran.stdout + ran.stderr or f"exit code {ran.returncode}") if ran.returncode else ""


Judge = Callable[[Bench, Block], str]
"""Returns what is wrong with an example; nothing if it is right."""


class _Loader(yaml.SafeLoader):
    """Takes any tag, such as Home Assistant's `!input`, for what stands behind it."""


_Loader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


def content(block: Block) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return what a block of YAML holds; None where it is none."""
    try:
        return yaml.load(block.text, _Loader)  # noqa: S506 - a safe one
    except yaml.YAMLError:
        return None


def _has(*keys: str) -> Callable[[Block], bool]:
    """Return what tells whether a block is a mapping with one of these keys."""

    def has(block: Block) -> bool:
        found = content(block)
        return isinstance(found, dict) and not found.keys().isdisjoint(keys)

    return has


def _below(keys: Collection[str]) -> Callable[[Block], bool]:
    """Return what tells whether a block is a mapping with these keys at most."""

    def below(block: Block) -> bool:
        found = content(block)
        return isinstance(found, dict) and bool(found) and found.keys() <= {*keys}

    return below


# ------------------------------------------------------------------------------------------------- the exporter


_NAMED = re.compile(r"^# ([\w./-]+\.ya?ml)\b")
"""The first line of a block that says which file it is."""


def _exporter(bench: Bench, block: Block) -> str:
    """Have `check` read it, beside the other files that the document names, with keys where it says they are."""
    files = {match[1]: each.text for each in blocks(block.document) if (match := _NAMED.match(each.text))}
    named = _NAMED.match(block.text)
    main = named[1] if named else "config.yml"
    if isinstance(content(block), list):
        files |= {main: block.text, "list.yml": yaml.safe_dump({"accounts_files": [main]})}
        main = "list.yml"
    else:
        files[main] = block.text
    variables: dict[str, str] = {}
    for name, text in files.items():
        here = text.replace("/run/secrets/", "secrets/")
        folder = bench.write(name, here).parent
        for secret in re.findall(r"_file: *([^\s,}]+)", here):
            bench.write(str(folder.relative_to(bench.folder) / secret), MADE_UP_KEY)
        variables |= dict.fromkeys(re.findall(r"_env: *(\w+)", here), MADE_UP_KEY)
    return bench.complaint(sys.executable, "-m", "sms_credit_exporter", "check", f"--config.file={main}", **variables)


def _is_list_of_accounts(block: Block) -> bool:
    found = content(block)
    return isinstance(found, list) and all(isinstance(each, dict) and "provider" in each for each in found)


def _web(bench: Bench, block: Block) -> str:
    """Have the exporter load it, with a certificate where it says that there is one."""
    certificate = trustme.CA().issue_cert("localhost")
    pem = {"cert": certificate.cert_chain_pems[0], "key": certificate.private_key_pem}
    for what, name in re.findall(r"\b(cert|key)_file: *(\S+)", block.text):
        pem[what].write_to_path(str(bench.write(name, "")))
    try:
        load_web(bench.write("web.yml", block.text))
    except ConfigError as error:
        return str(error)
    return ""


# ------------------------------------------------------------------------------------------- Prometheus' family


def _prometheus(bench: Bench, block: Block) -> str:
    file = bench.write("prometheus.yml", block.text)
    return bench.complaint(bench.tool("promtool"), "check", "config", "--syntax-only", file)


def _rules(bench: Bench, block: Block) -> str:
    return bench.complaint(bench.tool("promtool"), "check", "rules", bench.write("rules.yml", block.text))


_GOES_ON = re.compile(r"\s|\)|(and|or|unless|[-+*/%^<>=!]+)\b", re.IGNORECASE)


def expressions(text: str) -> Sequence[str]:
    """Return the expressions of a block, each of which begins at the left edge."""
    found: list[str] = []
    for line in text.splitlines():
        if found and _GOES_ON.match(line):
            found[-1] += f"\n{line}"
        elif line.strip():
            found.append(line)
    return found


def _promql(bench: Bench, block: Block) -> str:
    rules = [{"record": f"example:{number}", "expr": expr} for number, expr in enumerate(expressions(block.text))]
    text = yaml.safe_dump({"groups": [{"name": "examples", "rules": rules}]})
    return _rules(bench, Block(block.document, block.line, "yaml", text))


def _alertmanager(bench: Bench, block: Block) -> str:
    """Have amtool read it; a part of a file is put where it belongs."""
    found = content(block)
    route = {"receiver": "somebody", **found.get("route", {})}
    receivers = {each["name"]: each for each in found.get("receivers", ())}
    receivers = {name: {"name": name} for name in _values(route, "receiver")} | receivers
    whole = {**found, "route": route, "receivers": [*receivers.values()]}
    return bench.complaint(bench.tool("amtool"), "check-config", bench.write("alertmanager.yml", yaml.safe_dump(whole)))


def _values(found: Any, key: str) -> Iterator[Any]:  # noqa: ANN401 - whatever YAML holds
    """Yield what stands below a key, anywhere."""
    if isinstance(found, dict):
        yield from (value for name, value in found.items() if name == key)
    for each in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from _values(each, key)


# ------------------------------------------------------------------------------------------------ where it runs


_VALUES = frozenset(yaml.safe_load((CHART / "values.yaml").read_text()))


def _helm(bench: Bench, block: Block) -> str:
    """Have Helm render the chart with them, and with those that the document has given before."""
    before = [each for each in blocks(block.document) if each.line < block.line and _is_helm(each)]
    files = [bench.write(f"{number}.yaml", each.text) for number, each in enumerate((*before, block))]
    versions = ("--kube-version=1.37.0",)  # it knows of no cluster
    values = [f"--values={file}" for file in files]
    return bench.complaint(bench.tool("packaging/bin/helm"), "template", "sms-credit", CHART, *versions, *values)


def _is_helm(block: Block) -> bool:
    return block.language == "yaml" and _below(_VALUES)(block)


def _compose(bench: Bench, block: Block) -> str:
    file = bench.write("compose.yaml", block.text)
    return bench.complaint(bench.tool("packaging/bin/docker-compose"), "--file", file, "config", "--quiet")


def _containerfile(bench: Bench, block: Block) -> str:
    return bench.complaint(bench.tool("packaging/bin/hadolint"), bench.write("Containerfile", block.text))


_UNIT = re.compile(r"^# /etc/systemd/system/([\w.@-]+)\.(service|socket|timer)$", re.MULTILINE)


def _systemd(bench: Bench, block: Block) -> str:
    """Have systemd judge the unit, beside a service of the same name."""
    found = _UNIT.search(block.text)
    assert found
    bench.write(f"{found[1]}.service", "[Service]\nExecStart=/bin/true\n")
    file = bench.write(f"{found[1]}.{found[2]}", block.text)
    complaint = bench.complaint(bench.tool("systemd-analyze"), "verify", file)
    return complaint or bench.complaint("sh", "-c", f"! {bench.tool('systemd-analyze')} verify {file} 2>&1 | grep .")


_NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:1;
    {text}
  }}
}}
"""


def _nginx(bench: Bench, block: Block) -> str:
    file = bench.write("nginx.conf", _NGINX.format(folder=bench.folder, text=block.text))
    return bench.complaint(bench.tool("/usr/sbin/nginx"), "-t", "-p", bench.folder, "-e", "stderr", "-c", file)


# --------------------------------------------------------------------------------------------- Home Assistant


_CHECK = """\
import asyncio, logging, sys
from homeassistant import core, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.helpers import area_registry, device_registry, entity_registry, issue_registry
from homeassistant.helpers.check_config import async_check_ha_config_file

async def check():
    hass = core.HomeAssistant(".")
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    device_registry.async_setup(hass)
    for registry in (area_registry, device_registry, entity_registry):
        await registry.async_load(hass)
    await issue_registry.async_load(hass, read_only=True)
    found = await async_check_ha_config_file(hass)
    await hass.async_stop(force=True)
    return [*found.errors, *found.warnings]

logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
for each in asyncio.run(check()):
    print(each)
"""
"""What the button “Check configuration” does, with what is logged meanwhile: an automation that is disabled, say."""


def _configuration(bench: Bench, block: Block) -> str:
    """Have Home Assistant check a configuration, with the project's blueprints in it."""
    return _checked(bench, block.text)


def _automation(bench: Bench, block: Block) -> str:
    """Have Home Assistant check one automation; what the example leaves out is nothing that matters."""
    whole = {"alias": "Example", "actions": [], **content(block)}
    return _checked(bench, yaml.safe_dump({"automation": [whole]}))


def _checked(bench: Bench, text: str) -> str:
    (bench.folder / "blueprints").symlink_to(BLUEPRINTS)
    bench.write("configuration.yaml", text)
    ran = subprocess.run(
        [bench.tool(HOME_ASSISTANT), "-c", _CHECK], cwd=bench.folder, check=False, capture_output=True, text=True
    )
    return ran.stdout + (ran.stderr if ran.returncode else "")


_ENTITY = re.compile(r"\b(?:binary_sensor|event|sensor)\.[a-z0-9_]+")


def _card(_bench: Bench, block: Block) -> str:
    """Hold its entities against those of the guide; the tests inside Home Assistant prove that there are those."""
    there = {entity for each in blocks(GUIDE) for entity in _ENTITY.findall(each.text)}
    strange = [entity for entity in _ENTITY.findall(block.text) if entity not in there]
    found = [f"{GUIDE} has no {entity}" for entity in strange]
    return "\n".join(found if content(block).get("type") else [*found, "a card has a type"])


# ------------------------------------------------------------------------------------------------------ others


def _json(_bench: Bench, block: Block) -> str:
    try:
        json.loads(block.text)
    except ValueError as error:
        return str(error)
    return ""


def _says_nothing(_block: Block) -> bool:
    return True


def _is_unit(block: Block) -> bool:
    return bool(_UNIT.search(block.text))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of example, by its language and by what is in it."""

    language: str
    judge: Judge
    wrong: str
    """One that the judge must refuse: so its silence says something."""
    claims: Callable[[Block], bool] = _says_nothing


KINDS: Mapping[str, Kind] = {
    "an exporter's configuration": Kind(
        "yaml", _exporter, "accounts: [{name: a, provider: 23telekom}]", _has("accounts", "accounts_files")
    ),
    "an exporter's list of accounts": Kind(
        "yaml", _exporter, "- {name: a, provider: twilio, credentials: {api_key: a}}", _is_list_of_accounts
    ),
    "an exporter's web configuration": Kind(
        "yaml",
        _web,
        "rate_limit: {interval: fast}",
        _has("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"),
    ),
    "Prometheus' configuration": Kind(
        "yaml", _prometheus, "scrape_configs: [{job: a}]", _has("scrape_configs", "rule_files", "alerting")
    ),
    "rules of Prometheus": Kind("yaml", _rules, "groups: [{name: a, rules: [{record: a, expr: (}]}]", _has("groups")),
    "Alertmanager's configuration": Kind(
        "yaml", _alertmanager, "route: {routes: [{match: team = a}]}", _has("route", "receivers", "inhibit_rules")
    ),
    "values of the chart": Kind("yaml", _helm, "config: {acounts: []}", _below(_VALUES)),
    "a Compose file": Kind("yaml", _compose, "services: {a: {imag: b}}", _has("services")),
    "Home Assistant's configuration": Kind(
        "yaml", _configuration, "automation: [{alias: a, triggers: [{trigger: b}]}]", _has("automation", "rest")
    ),
    "an automation": Kind("yaml", _automation, "triggers: [{triger: state}]", _has("triggers")),
    "a card": Kind("yaml", _card, "{type: tile, entity: sensor.of_nobody}", _has("type", "views")),
    "PromQL": Kind("promql", _promql, 'sms_credit_balance{account="otp"'),
    "JSON": Kind("json", _json, "{'a': 1}"),
    "a unit of systemd": Kind("ini", _systemd, "# /etc/systemd/system/a.socket\n[Socket]\nListen=1\n", _is_unit),
    "lines for nginx": Kind("nginx", _nginx, "location / { proxy_pas http://127.0.0.1; }"),
    "a Containerfile": Kind("dockerfile", _containerfile, "FROM debian:latest\n"),
}
"""Every kind of file that has a judge."""
