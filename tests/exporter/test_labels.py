"""Labels that a user gives to accounts, as a scraper sees them; what is wrong with them is among configs/."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

from sms_credit_exporter.config import ConfigError, load
from sms_credit_exporter.metrics import LABELS, AccountCollector
from tests.exporter.running import LISTEN, Providers, Running

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]
Tool = Callable[[str], str]

FORMATS = {
    "text": ("text/plain;version=0.0.4", text),
    "OpenMetrics": ("application/openmetrics-text;version=1.0.0", openmetrics),
}


def of_accounts(metrics: list[Metric]) -> dict[str, list[dict[str, str]]]:
    """Return the labels of all samples of each metric that is about accounts."""
    return {
        metric.name: [sample.labels for sample in metric.samples]
        for metric in metrics
        if any("account" in sample.labels for sample in metric.samples)
    }


@pytest.mark.parametrize(("accept", "parse"), FORMATS.values(), ids=FORMATS)
async def test_every_series_of_an_account_has_its_labels(
    start: Start,
    config_file: ConfigFile,
    providers: Providers,
    accept: str,
    parse: Callable[[str], list[Metric]],
) -> None:
    """All series of a metric have the same label names, and whatever text a label has arrives as it is."""
    odd = 'Pay "ments" \\ İş|=,{}'
    file = config_file(
        providers.configured("a", providers.add("23telecom"), labels={"team": odd}, low_balance=5),
        providers.configured("b", providers.add("iletimerkezi"), labels={"Customer_2": "acme", "team": "web"}),
        providers.configured("c", providers.add("23telecom", "error_forbidden")),
    )
    given = {"a": {"team": odd, "Customer_2": ""}, "b": {"team": "web", "Customer_2": "acme"}}
    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows('sms_credit_up{Customer_2="acme",account="b",provider="iletimerkezi",team="web"} 1.0')
        answer = await exporter.get("/metrics", Accept=accept)
        series = of_accounts(list(parse(answer.text)))
        assert len(series) > 10
        for samples in series.values():
            assert len({frozenset(labels) for labels in samples}) == 1
            for labels in samples:
                mine = given.get(labels["account"], {"team": "", "Customer_2": ""})
                assert {name: labels[name] for name in mine} == mine


async def test_promtool_has_nothing_to_say(
    start: Start, config_file: ConfigFile, providers: Providers, tool: Tool
) -> None:
    """Labels of whatever name leave names, types and help as they are."""
    file = config_file(providers.configured("a", providers.add("23telecom"), labels={"Customer_2": "acme"}))
    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows('sms_credit_up{Customer_2="acme",account="a",provider="23telecom"} 1.0')
        metrics = (await exporter.get("/metrics")).content
    lint = await asyncio.create_subprocess_exec(tool("promtool"), "check", "metrics", stdin=-1, stdout=-1, stderr=-1)
    assert (await lint.communicate(metrics), lint.returncode) == ((b"", b""), 0)


async def test_other_labels_come_with_a_reload(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """The account keeps what is known of it: its provider is not asked for that."""
    account = providers.add("23telecom")
    configured = providers.configured("a", account, poll_interval="1h")
    file = config_file(configured, stale_after="1h")
    async with start("serve", "--web.enable-lifecycle", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows('sms_credit_balance{account="a",currency="EUR",provider="23telecom"} 1250.5')
        for team in ("web", "app"):
            config_file({**configured, "labels": {"team": team}}, stale_after="1h")
            await exporter.http.post(f"{exporter.urls[0]}/-/reload")
            metrics = (await exporter.get("/metrics")).text
            assert (
                f'sms_credit_balance{{account="a",currency="EUR",provider="23telecom",team="{team}"}} 1250.5' in metrics
            )
            assert metrics.count("\nsms_credit_balance{") == 1
    assert len(account.requests) == 1


def test_no_label_of_a_metric_can_be_given(tmp_path: Path) -> None:
    """Those that a metric has by itself; another one that a metric gets some day is refused without further ado."""
    used = {label for metric in AccountCollector(tuple).describe() for label in vars(metric)["_labelnames"]}
    assert used == LABELS
    for label in used:
        account = {
            "name": "a",
            "provider": "23telecom",
            "credentials": {"api_key": "made-up-key"},
            "labels": {label: "x"},
        }
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"accounts": [account]}))
        with pytest.raises(ConfigError, match=f"labels.{label}: cannot be used"):
            load(tmp_path / "config.yml", {})
