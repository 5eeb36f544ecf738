"""What a tag makes: the files of a release, and the workflow that publishes them."""

import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.packaging.programs import passes

VERSION = version("sms-credit-exporter")
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())

Made = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture
def made(tool: Callable[[str], str]) -> Made:
    """Make a release of a tag."""
    programs = {str(Path(tool(name)).parent) for name in ("uv", "packaging/bin/helm")}
    environment = {**os.environ, "PATH": ":".join([*programs, os.environ["PATH"]])}

    def make(tag: str, folder: Path) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "packaging/release"), tag, str(folder)]
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    return make


def test_a_release_has_everything_with_its_checksum(made: Made, tmp_path: Path) -> None:
    """HACS' archive holds the integration as it is committed, at its top."""
    done = made(f"v{VERSION}", tmp_path)
    assert done.returncode == 0, done.stderr
    summed = [line.split()[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()]
    assert sorted([*summed, "SHA256SUMS"]) == sorted(file.name for file in tmp_path.iterdir())
    assert set(summed) == {
        f"sms_credit_exporter-{VERSION}-py3-none-any.whl",
        f"sms_credit_exporter-{VERSION}.tar.gz",
        f"sms-credit-exporter-{VERSION}.tgz",
        "sms_credit.zip",
    }
    passes("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=tmp_path)

    committed = passes("git", "ls-tree", "-r", "--name-only", "HEAD:custom_components/sms_credit", cwd=ROOT).split()
    with zipfile.ZipFile(tmp_path / "sms_credit.zip") as archive:
        assert [name for name in archive.namelist() if not name.endswith("/")] == committed


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
    """With its version beside it, for whoever reads or renews it. A workflow of our own comes with the commit."""
    used = re.findall(r"\buses: (?!\./)(.+)$", workflow.read_text(), re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


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
