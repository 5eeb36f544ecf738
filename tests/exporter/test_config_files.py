"""What stands where a file should be, and how much of it: nothing makes `check` or a running exporter wait."""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.exporter.running import LISTEN, Providers, Running, command

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

MIB = 2**20


def pipe(path: Path) -> None:
    """Put a pipe there that nobody writes to."""
    os.mkfifo(path)


def endless(path: Path) -> None:
    """Put a link there to what never ends."""
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    """Put a socket there."""
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def huge(path: Path) -> None:
    """Put a file of 100 MiB there."""
    with path.open("wb") as file:
        file.truncate(100 * MIB)


def folder(path: Path) -> None:
    """Put a folder there."""
    path.mkdir()


def nothing(_: Path) -> None:
    """Leave it empty."""


NOT_REGULAR = "is not a regular file"
WHY_NOT = {
    pipe: NOT_REGULAR,
    endless: NOT_REGULAR,
    listening: NOT_REGULAR,
    huge: "is larger than 32 MiB",
    folder: "cannot be read: Is a directory",
    nothing: "cannot be read: No such file or directory",
}


def written(place: str, folder: Path) -> tuple[Path, str]:
    """Write a configuration without mistakes; return the file at the place, and how a mistake there begins."""
    config = folder / "config.yml"
    config.write_text(
        "accounts:\n"
        "  - name: otp\n"
        "    provider: 23telecom\n"
        "    base_url: http://127.0.0.1:9\n"
        "    credentials:\n"
        "      api_key_file: secret\n"
    )
    (folder / "secret").write_text("made-up-key\n")
    (folder / "web.yml").write_text("tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n")
    (folder / "a.crt").touch()
    (folder / "a.key").touch()
    return {
        "configuration": (config, "config.yml: "),
        "credential": (folder / "secret", "config.yml:6: accounts[0].credentials.api_key_file: the file "),
        "web configuration": (folder / "web.yml", "web.yml: "),
        "certificate": (folder / "a.crt", "web.yml:2: tls_server_config.cert_file: the file "),
    }[place]


@pytest.mark.parametrize("put", WHY_NOT, ids=lambda put: put.__doc__)
@pytest.mark.parametrize("place", ["configuration", "credential", "web configuration", "certificate"])
async def test_what_is_no_file_of_ours_is_told_at_once(tmp_path: Path, place: str, put: Callable[[Path], None]) -> None:
    """`serve` ends with 1 and one sentence: it neither waits, nor fills the memory, nor takes a minute."""
    path, place_text = written(place, tmp_path)
    path.unlink()
    put(path)
    why = WHY_NOT[put].replace("32 MiB", "4096 bytes") if place == "credential" else WHY_NOT[put]
    web = ["--web.config.file=web.yml"] if place_text.startswith("web") else []

    outcome = await command("serve", "--config.file=config.yml", *web, LISTEN, cwd=tmp_path)

    assert outcome == (1, "", f"{place_text}{why}\n1 mistake in the configuration.\n")


async def test_a_file_may_be_a_link_to_one(tmp_path: Path) -> None:
    """Kubernetes mounts secrets and configurations as links."""
    written("configuration", tmp_path)
    for name in ("config.yml", "secret"):
        (tmp_path / name).rename(tmp_path / f"real-{name}")
        (tmp_path / name).symlink_to(f"real-{name}")

    code, out, err = await command("check", "--config.file=config.yml", cwd=tmp_path)

    assert (code, out, err) == (0, "config.yml: no mistakes, 1 account.\n", "")


@pytest.mark.parametrize(
    ("size", "code"), [pytest.param(4096, 0, id="as long as allowed"), pytest.param(4097, 1, id="longer")]
)
async def test_how_long_a_secret_file_may_be(tmp_path: Path, size: int, code: int) -> None:
    """White space may fill a file up to the limit; a longer file is a mistake, and is never cut off."""
    path, place = written("credential", tmp_path)
    path.write_text("made-up-key".ljust(size))

    outcome = await command("check", "--config.file=config.yml", cwd=tmp_path)

    assert outcome[0] == code
    assert outcome[2] == (f"{place}is larger than 4096 bytes\n1 mistake in the configuration.\n" if code else "")


async def test_a_secret_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    """It cannot be sent; what is in it is not shown."""
    path, place = written("credential", tmp_path)
    path.write_bytes(b"\xff\xfemade-up-key")

    code, _, err = await command("check", "--config.file=config.yml", cwd=tmp_path)

    assert code == 1
    assert err.startswith(place.removesuffix("the file "))
    assert "1 mistake in the configuration." in err
    assert "Traceback" not in err
    assert "made-up-key" not in err


@pytest.mark.parametrize("put", [pipe, endless, huge], ids=lambda put: put.__doc__)
async def test_a_reload_waits_for_nothing(
    start: Start, config_file: ConfigFile, providers: Providers, put: Callable[[Path], None]
) -> None:
    """The exporter answers and keeps its accounts, takes the next good file, and ends when it is told to."""
    account = providers.configured("a", providers.add("23telecom"))
    file = config_file({**account, "credentials": {"api_key_file": "secret"}})
    secret = file.parent / "secret"
    secret.write_text("made-up-key")

    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        secret.unlink()
        put(secret)
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("not reloaded.*the file is")
        assert (await exporter.get("/-/healthy")).status_code == 200

        secret.unlink()
        secret.write_text("other-made-up-key")
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("configuration reloaded")

        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.exit_code() == 0
