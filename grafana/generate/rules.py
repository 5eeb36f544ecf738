"""Recording and alerting rules as data, and as the YAML that Prometheus reads."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import yaml

from .settings import Legend, Settings, words

Document = dict[str, object]


class Severity(StrEnum):
    """Who is to look at an alert, and when."""

    CRITICAL = "critical"
    """Somebody, now."""
    WARNING = "warning"
    """Somebody, within the working day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording rule."""

    record: str
    expr: str
    """A template of PromQL, see `Settings.promql`."""
    legend: Legend = field(default_factory=dict)
    """What placeholders of this rule alone stand for."""
    why: str = ""
    """A comment for whoever reads the rules."""

    def document(self, settings: Settings, legend: Legend) -> Document:
        """Return the rule as Prometheus reads it."""
        return {"record": self.record, "expr": _block(settings.promql(self.expr, {**legend, **self.legend}))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alerting rule."""

    name: str
    severity: Severity
    summary: str
    """One sentence that is the same for every alert of this name."""
    description: str
    """In the template language of Prometheus; `<lasting>` is how long the condition has held, in words."""
    expr: str
    """A template of PromQL, see `Settings.promql`."""
    lasting: int = 0
    """How many seconds the condition must hold."""
    legend: Legend = field(default_factory=dict)
    """What placeholders of this rule alone stand for."""
    why: str = ""
    """A comment for whoever reads the rules."""
    dashboard: str
    """Where to look at what it is about: a path in Grafana, in the template language of Prometheus."""

    def document(self, settings: Settings, legend: Legend) -> Document:
        """Return the rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": _block(settings.promql(self.expr, {**legend, **self.legend})),
            **({"for": settings.span(self.lasting)} if self.lasting else {}),
            "labels": {"severity": self.severity.value},
            "annotations": {
                "summary": self.summary,
                "description": self.description.replace("<lasting>", words(self.lasting)),
                "runbook_url": f"{settings.runbook}#{self.name.lower()}",
                "dashboard_url": settings.grafana + self.dashboard,
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rules, evaluated in their order."""

    name: str
    rules: tuple[Recording | Alert, ...]
    legend: Legend = field(default_factory=dict)
    """What placeholders of its rules stand for."""


def as_rule_file(groups: Iterable[Group], settings: Settings, heading: str = "") -> str:
    """Write the groups as a rule file."""
    return heading + _groups(groups, settings)


def as_prometheus_rule(groups: Iterable[Group], settings: Settings, heading: str = "") -> str:
    """Write the groups as the custom resource that the Prometheus Operator reads."""
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "sms-credit", "labels": {"app.kubernetes.io/name": "sms-credit-exporter"}},
    }
    return heading + _dump(resource) + "spec:\n" + textwrap.indent(_groups(groups, settings), "  ", _not_blank)


def _groups(groups: Iterable[Group], settings: Settings) -> str:
    written = (textwrap.indent("".join(_lines(group, settings)), "  ", _not_blank) for group in groups)
    return "groups:\n" + "\n".join(written)


def _lines(group: Group, settings: Settings) -> Iterator[str]:
    yield f"- name: {group.name}\n  rules:\n"
    for number, rule in enumerate(group.rules):
        if number:
            yield "\n"
        for line in textwrap.wrap(rule.why, 110):
            yield f"    # {line}\n"
        yield textwrap.indent(_dump([rule.document(settings, group.legend)]), "    ", _not_blank)


def _not_blank(line: str) -> bool:
    return line.strip() != ""


class _Block(str):
    """Text to be written line by line as it is."""

    __slots__ = ()


def _block(text: str) -> str:
    return _Block(textwrap.dedent(text).strip("\n") + "\n") if "\n" in text else text


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's own signature
        """Indent the items of lists as well."""
        super().increase_indent(flow, indentless=False)


def _represent_block(dumper: _Dumper, text: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")


_Dumper.add_representer(_Block, _represent_block)


def _dump(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
