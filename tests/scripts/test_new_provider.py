"""`scripts/new-provider`: what it writes is a provider that works, on answers that nobody has looked up yet."""

from importlib import util
from pathlib import Path

import pytest
import yaml

from scripts import new_provider
from sms_credit_core import Answer, NoReading
from sms_credit_exporter.simulator.payloads import Payload, _read


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have it write to a folder of its own."""
    for name in ("PAYLOADS", "CORE", "SIMULATOR"):
        monkeypatch.setattr(new_provider, name, tmp_path / name.lower())
    monkeypatch.setattr(new_provider, "ROOT", tmp_path)
    return tmp_path


def read(provider: object, payload: Payload) -> dict[str, object]:
    """Return what comes of a payload, as far as the files say it."""
    try:
        reading = provider.read(Answer(payload.status, {}, payload.body))  # type: ignore[attr-defined]
    except NoReading as reason:
        problem = reason.problem
        said = {"status": problem.status, "cause": problem.cause, "detail": problem.detail}
        return {name: value for name, value in said.items() if value is not None}
    return {"status": reading.quality.status, "balance": str(reading.balance)}


@pytest.mark.parametrize(
    ("healthy", "place"),
    [
        pytest.param('{"value": 10.17}', "value", id="a number"),
        pytest.param('{"data": {"balance": 10.17, "note": "costs $ 1"}}', "data.balance", id="a number further in"),
    ],
)
def test_the_skeletons_work(folders: Path, capsys: pytest.CaptureFixture[str], healthy: str, place: str) -> None:
    """The module reads each of the payloads as its file says; a second run touches nothing."""
    arguments = ["acme", "Acme Mobile", healthy, place]
    assert new_provider.main(arguments) == 0
    module = folders / "core" / "acme.py"
    spec = util.spec_from_file_location("sms_credit_core.providers.acme", module)
    assert spec
    assert spec.loader
    loaded = util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    provider = loaded.Acmemobile()
    payloads = [each for file in (folders / "payloads" / "acme").iterdir() for each in _read(file)]
    assert len(payloads) >= 30
    for payload in payloads:
        expected = {name: value for name, value in payload.outcome.items() if name in read(provider, payload)}
        assert read(provider, payload) == expected
    compile((folders / "simulator" / "acme.py").read_text(), "acme.py", "exec")
    assert yaml.safe_load((folders / "payloads" / "acme" / "healthy.yaml").read_text())["answer"]["body"] == healthy

    capsys.readouterr()
    module.write_text("mine")
    assert new_provider.main(arguments) == 0
    assert "written" not in capsys.readouterr().out
    assert module.read_text() == "mine"


def test_what_it_cannot_do_is_said(capsys: pytest.CaptureFixture[str], folders: Path) -> None:
    """Nothing is written then."""
    with pytest.raises(SystemExit, match="just once"):
        new_provider.main(["acme", "Acme", '{"balance": 1, "other": 1}', "balance"])
    with pytest.raises(SystemExit):
        new_provider.main(["Acme-1", "Acme", '{"balance": 1}', "balance"])
    assert "small letters and digits" in capsys.readouterr().err
    assert list(folders.iterdir()) == []
