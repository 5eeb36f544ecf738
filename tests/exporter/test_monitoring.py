"""`monitoring`: the rules, dashboards and runbooks on the disk of whoever installed the exporter."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.exporter.running import command

GRAFANA = ROOT / "grafana"


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder by its path there."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_writes_the_files_and_says_where(tmp_path: Path) -> None:
    """The files lie as in the repository, with the README.md that explains them; a second run changes nothing."""
    for _ in range(2):
        code, out, err = await command("monitoring", "--output=new/folder", cwd=tmp_path)
        assert (code, err) == (0, "")
        found = contents(tmp_path / "new/folder")
        assert {str(Path("new/folder", path)) for path in found} == set(out.splitlines())
    assert found == {path: (GRAFANA / path).read_bytes() for path in found}


async def test_writes_all_that_users_load_and_nothing_of_the_developers(tmp_path: Path) -> None:
    """Each file that the README's table names is there, and no code and no test."""
    await command("monitoring", "--output=.", cwd=tmp_path)
    table = [line for line in (tmp_path / "README.md").read_text().splitlines() if line.startswith("| [")]
    named = {path.rstrip(")") for line in table for path in line.split("](")[1:] for path in [path.partition(")")[0]]}
    assert len(named) > 5
    assert [path for path in named if not (tmp_path / path).exists()] == []
    assert [path for path in contents(tmp_path) if "tests" in path or path.endswith(".py")] == []


async def test_replaces_nothing_that_is_the_users_own_unless_told_to(tmp_path: Path) -> None:
    """If a file differs, the command names it and writes none; with --force it replaces it."""
    own = tmp_path / "prometheus/rules.yml"
    own.parent.mkdir()
    own.write_text("groups: []\n")

    code, out, err = await command("monitoring", "--output=.", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == ["prometheus/rules.yml"]
    assert "--force" in err
    assert contents(tmp_path) == {"prometheus/rules.yml": b"groups: []\n"}

    assert (await command("monitoring", "--output=.", "--force", cwd=tmp_path))[0] == 0
    assert own.read_bytes() == (GRAFANA / "prometheus/rules.yml").read_bytes()


@pytest.mark.parametrize("output", ["taken", "taken/below"])
async def test_says_why_it_cannot_write(tmp_path: Path, output: str) -> None:
    """A file in place of the folder is reported in a sentence; once it is gone, the command works."""
    taken = tmp_path / "taken"
    taken.touch()
    code, out, err = await command("monitoring", f"--output={output}", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(output)
    assert err.count("\n") == 1

    taken.unlink()
    assert (await command("monitoring", f"--output={output}", cwd=tmp_path))[0] == 0
