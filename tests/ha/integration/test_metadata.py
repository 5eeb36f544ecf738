"""The files beside the code: what Home Assistant, the Marketplace (formerly HACS) and their checks ask of them."""

import json
import re
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import homeassistant.components
import pytest
import yaml
from awesomeversion import AwesomeVersion

from custom_components.sms_credit.binary_sensor import BINARY_SENSORS
from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.event import TOPPED_UP
from custom_components.sms_credit.sensor import SENSORS, STATES, STATUS

from .conftest import CHECKOUT, COMPONENT

REPOSITORY = "https://github.com/sms-credit/sms-credit"

RULES = {
    "bronze": """action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage
        dependency-transparency docs-actions docs-conditions docs-high-level-description
        docs-installation-instructions docs-removal-instructions docs-triggers entity-event-setup entity-unique-id
        has-entity-name runtime-data test-before-configure test-before-setup unique-config-entry""",
    "silver": """action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
        entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow
        test-coverage""",
    "gold": """devices diagnostics discovery discovery-update-info docs-data-update docs-examples
        docs-known-limitations docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases
        dynamic-devices entity-category entity-device-class entity-disabled-by-default entity-translations
        exception-translations icon-translations reconfiguration-flow repair-issues stale-devices""",
    "platinum": "async-dependency inject-websession strict-typing",
}
"""The Integration Quality Scale of November 2026."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a file; no member may stand in it twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    content: dict[str, Any] = json.loads(path.read_text(), object_pairs_hook=unique)
    return content


def test_the_manifest_says_what_is_asked_in_the_order_that_is_asked() -> None:
    """Domain and name first, the rest by the alphabet; no key that a custom integration may not have."""
    manifest = read_json(COMPONENT / "manifest.json")
    assert list(manifest) == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]
    assert manifest == {
        "domain": DOMAIN,
        "name": "SMS Credit",
        "codeowners": ["@sms-credit"],
        "config_flow": True,
        "documentation": f"{REPOSITORY}/blob/main/docs/home-assistant.md",
        "integration_type": "service",
        "iot_class": "cloud_polling",
        "issue_tracker": f"{REPOSITORY}/issues",
        "requirements": [],
        "version": manifest["version"],
    }
    assert AwesomeVersion(manifest["version"]).valid
    assert COMPONENT.name == DOMAIN


def test_integration_and_exporter_have_one_version() -> None:
    """They are released together."""
    (version,) = re.findall(r'^version = "(.+)"$', (CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    assert read_json(COMPONENT / "manifest.json")["version"] == version


def test_the_documentation_is_where_the_manifest_says() -> None:
    """Home Assistant links there from every account."""
    path = urlsplit(read_json(COMPONENT / "manifest.json")["documentation"]).path
    assert (CHECKOUT / path.partition("/blob/main/")[2]).is_file()


def test_hacs_json_names_the_oldest_version_that_is_tested() -> None:
    """The Marketplace offers the integration to nobody on an older one."""
    oldest = min(path.stem for path in (CHECKOUT / "tests" / "ha" / "requirements").glob("20*.txt"))
    assert read_json(CHECKOUT / "hacs.json") == {"name": "SMS Credit", "homeassistant": f"{oldest}.0"}


def test_the_repository_has_what_the_catalogue_of_hacs_wants() -> None:
    """Its checks of files: images, description, licence; others are of the repository's settings, which are listed."""
    assert (COMPONENT / "brand" / "icon.png").is_file()
    assert (CHECKOUT / "README.md").is_file()
    assert "Apache License" in (CHECKOUT / "LICENSE").read_text()
    manifest = read_json(COMPONENT / "manifest.json")
    assert all(manifest[key] for key in ("codeowners", "documentation", "domain", "issue_tracker", "name", "version"))
    _, _, told = (CHECKOUT / "CONTRIBUTING.md").read_text().partition("## The catalogue of the Marketplace\n")
    settings = ("archived", "description", "issues", "topics", "release", "hassfest")
    assert [each for each in settings if each not in told.partition("\n## ")[0]] == []


def test_there_is_one_custom_component() -> None:
    """The Marketplace installs one."""
    assert [path.name for path in (CHECKOUT / "custom_components").iterdir() if (path / "manifest.json").exists()] == [
        DOMAIN
    ]


@pytest.mark.parametrize(
    ("name", "side"),
    [("icon.png", 256), ("icon@2x.png", 512), ("dark_icon.png", 256), ("dark_icon@2x.png", 512)],
)
def test_a_brand_image_is_a_small_square_png_with_transparency(name: str, side: int) -> None:
    """As the brands' rules ask; colour types 4 and 6 have transparency, 3 may have."""
    data = (COMPONENT / "brand" / name).read_bytes()
    width, height, _, colour = struct.unpack(">IIBB", data[16:26])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height) == (side, side)
    assert colour in {4, 6} or (colour == 3 and b"tRNS" in data)
    assert len(data) < 20_000


def test_there_is_no_other_brand_image() -> None:
    """Home Assistant serves eight names and no more; without a logo it takes the icon."""
    assert {path.name for path in (COMPONENT / "brand").iterdir()} == {
        "icon.png",
        "icon@2x.png",
        "dark_icon.png",
        "dark_icon@2x.png",
    }


ENTITIES = {
    "sensor": {description.key: description for description in (*SENSORS, STATUS)},
    "binary_sensor": {description.key: description for description in BINARY_SENSORS},
    "event": {TOPPED_UP.key: TOPPED_UP},
}
ICONS = read_json(COMPONENT / "icons.json")["entity"]


def test_every_entity_has_an_icon_of_its_own_or_of_its_class() -> None:
    """Money has its own in Home Assistant already."""
    with_icon = {(platform, key) for platform, keys in ICONS.items() for key in keys}
    entities = {(platform, key) for platform, keys in ENTITIES.items() for key in keys}
    assert with_icon == entities - {("sensor", "balance")}


@pytest.mark.parametrize(
    "icons", [pytest.param(icons, id=key) for keys in ICONS.values() for key, icons in keys.items()]
)
def test_an_icon_follows_the_schema(icons: dict[str, Any]) -> None:
    """A default; states that look different from it; ranges that ascend."""
    assert set(icons) <= {"default", "state", "range"}
    assert icons["default"] not in icons.get("state", {}).values()
    bounds = [float(bound) for bound in icons.get("range", {})]
    assert bounds == sorted(set(bounds))


def test_every_status_that_lasts_has_an_icon() -> None:
    """`pending` has the icon of what is not known yet."""
    assert set(ICONS["sensor"]["status"]["state"]) == set(STATES.values()) - {"pending"}


def test_every_icon_exists() -> None:
    """Home Assistant itself uses each of them."""
    files = Path(homeassistant.components.__path__[0]).glob("*/icons.json")
    known = {icon for file in files for icon in re.findall(r'"(mdi:[a-z0-9-]+)"', file.read_text())}
    assert set(re.findall(r'"(mdi:[a-z0-9-]+)"', json.dumps(ICONS))) <= known


def test_the_quality_scale_answers_every_rule() -> None:
    """Each rule is done or exempt, and what is exempt says why."""
    answers = yaml.safe_load((COMPONENT / "quality_scale.yaml").read_text())
    assert list(answers) == ["rules"]
    rules = answers["rules"]
    assert list(rules) == [rule for tier in RULES.values() for rule in rules if rule in tier.split()]
    assert set(rules) == {rule for tier in RULES.values() for rule in tier.split()}
    assert len(rules) == 54
    stated = [{"status": answer} if isinstance(answer, str) else answer for answer in rules.values()]
    assert {answer["status"] for answer in stated} == {"done", "exempt"}
    assert all(answer["comment"].endswith(".") for answer in stated if answer["status"] == "exempt")
    assert all(set(answer) <= {"status", "comment"} for answer in stated)
