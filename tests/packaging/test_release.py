"""What a tag makes: the files of a release, and the workflow that publishes them."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.packaging.programs import passes

VERSION = version("sms-credit-exporter")
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())

_PINNED = r"[\w./-]+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|(main|master) of \d{4}-\d\d-\d\d)"

Tool = Callable[[str], str]
Made = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def made(tool: Tool) -> Made:
    """Make a release of a tag, out of this checkout or another."""
    programs = {str(Path(tool(name)).parent) for name in ("uv", "packaging/bin/helm")}
    environment = {**os.environ, "PATH": ":".join([*programs, os.environ["PATH"]])}

    def make(
        tag: str, folder: Path, *, checkout: Path = ROOT, umask: int = -1, **more: str
    ) -> subprocess.CompletedProcess[str]:
        command = [str(checkout / "packaging/release"), tag, str(folder)]
        env = {**environment, **more}
        return subprocess.run(command, env=env, umask=umask, check=False, capture_output=True, text=True)

    return make


def test_a_release_has_everything_with_its_checksum(made: Made, tmp_path: Path) -> None:
    """One archive holds the integration as it is committed, another what the command `monitoring` writes."""
    done = made(f"v{VERSION}", tmp_path)
    assert done.returncode == 0, done.stderr
    summed = [line.split()[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()]
    assert sorted([*summed, "SHA256SUMS"]) == sorted(file.name for file in tmp_path.iterdir())
    assert set(summed) == {
        f"sms_credit_exporter-{VERSION}-py3-none-any.whl",
        f"sms_credit_exporter-{VERSION}.tar.gz",
        f"sms_credit_exporter-{VERSION}.cdx.json",
        f"sms-credit-exporter-{VERSION}.tgz",
        f"sms-credit-monitoring-{VERSION}.tar.gz",
        "sms_credit.zip",
    }
    passes("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=tmp_path)

    [upload] = re.findall(r"^uv publish .*$", RELEASE["jobs"]["pypi"]["steps"][-1]["run"], re.MULTILINE)
    uploaded = [file.name for pattern in re.findall(r"dist/(\S+)", upload) for file in tmp_path.glob(pattern)]
    assert uploaded == [f"sms_credit_exporter-{VERSION}-py3-none-any.whl", f"sms_credit_exporter-{VERSION}.tar.gz"]

    committed = passes("git", "ls-tree", "-r", "--name-only", "HEAD:custom_components/sms_credit", cwd=ROOT).split()
    with zipfile.ZipFile(tmp_path / "sms_credit.zip") as archive:
        assert [name for name in archive.namelist() if not name.endswith("/")] == committed

    passes("tar", "--extract", f"--file=sms-credit-monitoring-{VERSION}.tar.gz", cwd=tmp_path)
    passes(sys.executable, "-m", "sms_credit_exporter", "monitoring", f"--output={tmp_path}/written")
    passes("diff", "--recursive", tmp_path / f"sms-credit-monitoring-{VERSION}", tmp_path / "written")


@pytest.mark.timeout(300)  # each release loads what builds it
def test_the_same_commit_gives_the_same_bytes(tool: Tool, made: Made, tmp_path: Path) -> None:
    """Whoever does not trust a download makes it anew: in another folder, at another time, under other settings."""
    ways: Sequence[Mapping[str, Any]] = (
        {"umask": 0o022, "TZ": "UTC", "LC_ALL": "C"},
        {"umask": 0o077, "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1"},
    )
    sums = []
    for number, way in enumerate(ways):
        checkout = tmp_path.joinpath(*["deeper"] * number, f"checkout {number}")
        umask = ["sh", "-c", f'umask {way["umask"]:03o} && exec "$@"', "sh"]
        passes(*umask, tool("git"), "clone", "--quiet", "--no-local", f"file://{ROOT}", checkout)
        for file in checkout.rglob("*"):
            os.utime(file, (number * 10**9, number * 10**9))
        done = made(f"v{VERSION}", tmp_path / f"made {number}", checkout=checkout, **way)
        assert done.returncode == 0, done.stderr
        sums.append((tmp_path / f"made {number}" / "SHA256SUMS").read_text())
    assert sums[0] == sums[1]
    assert len(sums[0].splitlines()) == 6


def test_the_chart_of_a_release_can_be_installed(tool: Tool, made: Made, tmp_path: Path) -> None:
    """Helm takes it, and finds in it what the checkout has."""
    assert made(f"v{VERSION}", tmp_path).returncode == 0
    chart = tmp_path / f"sms-credit-exporter-{VERSION}.tgz"
    helm, source = tool("packaging/bin/helm"), ROOT / "packaging/helm/sms-credit-exporter"
    arguments = (f"--values={source}/ci/everything-values.yaml", "--kube-version=1.37.0")  # it knows of no cluster
    rendered = [passes(helm, "template", "sms-credit", each, *arguments) for each in (chart, source)]
    assert rendered[0] == rendered[1]
    assert "kind: StatefulSet" in rendered[0]


def test_a_tag_that_is_not_the_version_makes_nothing(made: Made, tmp_path: Path) -> None:
    """Each place that says another is named: package, integration and chart have one version."""
    done = made("v99.0.0", tmp_path)
    assert done.returncode == 1
    told = [
        re.fullmatch(rf"(.+) says {re.escape(VERSION)}, but the tag is v99.0.0", line)
        for line in done.stderr.splitlines()
    ]
    assert [found and found[1] for found in told] == [
        "pyproject.toml",
        "manifest.json",
        "Chart.yaml, version",
        "Chart.yaml, appVersion",
    ]
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    """With its version beside it, for whoever reads or renews it; or with its day, if it has had none since.

    A workflow of our own comes with the commit.
    """
    used = re.findall(r"\buses: (?!\./)(.+)$", workflow.read_text(), re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(_PINNED, each)] == []


def test_nothing_may_be_done_but_what_a_job_names() -> None:
    """No job inherits a permission, and what publishes waits for the tests."""
    assert RELEASE["permissions"] == {}
    assert all("permissions" in job for job in RELEASE["jobs"].values())
    writing = {
        name
        for name, job in RELEASE["jobs"].items()
        if {"packages", "contents"}
        & {permission for permission, level in job["permissions"].items() if level == "write"}
    }
    assert writing == {"image", "release"}
    assert {"ci", "build"} <= set(RELEASE["jobs"]["image"]["needs"]) & set(RELEASE["jobs"]["pypi"]["needs"])
    assert set(RELEASE["jobs"]["release"]["needs"]) == {"image", "pypi"}
