"""One target under atheris, which finds what leads to code that nothing has led to before; see __main__.py."""

import json
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore] # only scripts/fuzz installs it

with atheris.instrument_imports(include=["sms_credit_core", "sms_credit_exporter"]):
    from tests.fuzz.targets import TARGETS, slower


def fuzz(name: str, folder: Path, runs: int) -> None:
    """Run a target so many times; never returns. A file `slowest` in the folder then holds seconds and bytes."""
    run, slowest = TARGETS[name].run, 0.0
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, example in enumerate(TARGETS[name].examples()):
        (corpus / str(number)).write_bytes(example)

    def timed(data: bytes) -> None:
        nonlocal slowest
        if (took := slower(slowest, run, data)) > slowest:
            slowest = took
            (folder / "slowest").write_text(json.dumps([took, data.hex()]))

    arguments = [sys.argv[0], f"-runs={runs}", "-max_len=4096", f"-artifact_prefix={folder}/", str(corpus)]
    atheris.Setup(arguments, timed)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
