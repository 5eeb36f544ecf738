"""One configuration shared by several exporters: who watches which account, now and in every later version."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from itertools import chain
from pathlib import Path

import httpx
import pytest

from sms_credit_exporter.shards import WHOLE, Shard, jump
from tests.exporter.running import (
    DEBIAN_STABLE,
    DEBIAN_TESTING,
    LISTEN,
    Providers,
    Running,
    command,
    free_port,
    prometheus,
    until,
)

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

NAMES = [f"account-{number}" for number in range(10_000)]


def shard_of(name: str, count: int) -> int:
    """Return the only shard that has the account."""
    [index] = [index for index in range(count) if Shard(index, count).has(name)]
    return index


@pytest.mark.parametrize(
    ("name", "shards"),
    [
        ("marketing", {1: 0, 2: 1, 3: 1, 5: 3, 10: 3, 1000: 229}),
        ("otp", {1: 0, 2: 0, 3: 0, 5: 3, 10: 8, 1000: 888}),
        ("Pazarlama İstanbul", {1: 0, 2: 1, 3: 1, 5: 3, 10: 3, 1000: 835}),
    ],
)
def test_an_assignment_never_changes(name: str, shards: dict[int, int]) -> None:
    """Another one would ask providers anew, and leave what is remembered where it was."""
    assert {count: shard_of(name, count) for count in shards} == shards


@pytest.mark.parametrize(("key", "count", "shard"), [(1, 1, 0), (42, 57, 43), (256, 1024, 520), (0xDEAD10CC, 666, 361)])
def test_the_hash_is_that_of_other_programs(key: int, count: int, shard: int) -> None:
    """These are the numbers that its implementations in other languages are tested with."""
    assert jump(key, count) == shard


@pytest.mark.parametrize("count", [2, 3, 10])
def test_one_shard_more_takes_as_few_accounts_as_can_be(count: int) -> None:
    """Each account stays or goes to the new shard, and all shards have about as many."""
    before, after = ([shard_of(name, shards) for name in NAMES] for shards in (count, count + 1))
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {count}
    sizes = Counter(after)
    assert len(sizes) == count + 1
    assert all(abs(size * (count + 1) / len(NAMES) - 1) < 0.1 for size in sizes.values())


def test_one_shard_has_all() -> None:
    """It is what counts without the option."""
    assert all(map(WHOLE.has, NAMES))
    assert Shard.parse(str(WHOLE)) == WHOLE


@pytest.mark.parametrize("text", ["3/3", "-1/3", "0/0", "1", "1/", "a/b", "0/1001", "1/2/3", "٣/٤", "0x0/1", " 0/1"])
async def test_what_is_no_shard(tmp_path: Path, text: str) -> None:
    """The command line is wrong, and is told how it is right."""
    code, out, err = await command("check", "--config.file=config.yml", f"--shard={text}", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert f"argument --shard: “{text}” is no shard; must be I/N with I from 0 to N-1, such as 0/3" in err


async def test_shards_watch_every_account_once(start: Start, config_file: ConfigFile, providers: Providers) -> None:
    """All say how many they are and how many accounts there are; one without accounts is healthy and ready."""
    accounts = {name: providers.add("23telecom") for name in ("marketing", "otp", "alarm")}
    file = config_file(*(providers.configured(name, account) for name, account in accounts.items()))
    count = 8
    async with AsyncExitStack() as stack:
        shards = [
            await stack.enter_async_context(start("serve", f"--config.file={file}", f"--shard={index}/{count}", LISTEN))
            for index in range(count)
        ]
        watched = []
        for index, shard in enumerate(shards):
            await shard.shows(f'sms_credit_exporter_shards{{shard="{index}"}} {count}.0')
            await shard.shows("sms_credit_exporter_configured_accounts 3.0")
            mine = [name for name in accounts if Shard(index, count).has(name)]
            for name in mine:
                await shard.shows(f'sms_credit_up{{account="{name}",provider="23telecom"}} 1.0')
            answers = await asyncio.gather(*(shard.get(path) for path in ("/-/healthy", "/-/ready", "/", "/metrics")))
            assert [answer.status_code for answer in answers] == [200] * 4
            assert answers[-1].text.count("\nsms_credit_up{") == len(mine)
            watched.append(mine)
        assert sorted(chain.from_iterable(watched)) == sorted(accounts)
        assert [] in watched


@pytest.mark.parametrize("binary", [DEBIAN_STABLE, DEBIAN_TESTING])
async def test_a_prometheus_sees_every_account_of_all_shards_once(  # noqa: PLR0913, PLR0917 - fixtures
    binary: str,
    tool: Callable[[str], str],
    start: Start,
    config_file: ConfigFile,
    providers: Providers,
    http: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    """One that is gone takes its part away and nothing else; once it is back, all are there."""
    names = [f"account-{number}" for number in range(50)]
    file = config_file(*(providers.configured(name, providers.add("23telecom")) for name in names))
    ports = [free_port(), free_port()]
    targets = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]

    def shard(index: int) -> AbstractAsyncContextManager[Running]:
        address = f"--web.listen-address=127.0.0.1:{ports[index]}"
        return start("serve", f"--config.file={file}", f"--shard={index}/2", address)

    async with shard(0), prometheus(tool(binary), "", tmp_path, static_configs=targets) as url:

        async def watched(names: Collection[str]) -> None:
            async def seen() -> bool:
                query = {"query": "count by (account) (sms_credit_up == 1)"}
                answer = await http.get(f"{url}/api/v1/query", params=query)
                samples = answer.raise_for_status().json()["data"]["result"]
                return {each["metric"]["account"]: each["value"][1] for each in samples} == dict.fromkeys(names, "1")

            await until(seen)

        first = {name for name in names if Shard(0, 2).has(name)}
        async with shard(1):
            await watched(names)
        await watched(first)
        async with shard(1):
            await watched(names)


async def test_check_and_balance_take_a_shard_too(
    config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """`check` looks at the whole configuration; `balance` asks for the shard's accounts only."""
    accounts = {name: providers.add("23telecom") for name in ("marketing", "otp")}
    file = config_file(*(providers.configured(name, account) for name, account in accounts.items()))

    assert await command("check", f"--config.file={file}", "--shard=1/2", cwd=tmp_path) == (
        0,
        f"{file}: no mistakes, 2 accounts, 1 of them in shard 1/2.\n",
        "",
    )
    code, out, _ = await command("balance", f"--config.file={file}", "--shard=1/2", cwd=tmp_path)
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, ["ACCOUNT", "marketing"])
    assert [len(account.requests) for account in accounts.values()] == [1, 0]
