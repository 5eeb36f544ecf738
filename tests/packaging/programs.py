"""Programs that judge files."""

import subprocess
from pathlib import Path


def passes(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program that is to be content; return what it printed."""
    ran = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, cwd=cwd)
    assert ran.returncode == 0, f"{' '.join(map(str, command))}\n{ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


def refuses(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program that is to find a mistake; return what it printed."""
    ran = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, cwd=cwd)
    assert ran.returncode != 0, f"{' '.join(map(str, command))} found nothing wrong"
    return ran.stdout + ran.stderr
