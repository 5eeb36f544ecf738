"""The committed rules, taken apart."""

import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "grafana/prometheus"
GROUPS = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RECORDED = [rule["record"] for rule in RULES if "record" in rule]
ALERTS = [rule for rule in RULES if "alert" in rule]
