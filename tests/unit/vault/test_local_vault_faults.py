"""The local vault when a system call fails, is cut short or is the last one of the process.

Each scenario runs again and again, with the fault at the first system call, at the second,
and so on until it runs through clean. Whatever happened: what was acknowledged is there and
exact, no file is half, what was deleted is gone in both copies.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import KeyNotFound, KeyVaultError
from app.vault.local import LocalVault

CONTENT_TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"
OLD, NEW = "1" * 32, "2" * 32
OLD_VALUE, NEW_VALUE = b"the old value", b"the new value" * 20
CALLS = ["open", "close", "read", "write", "fsync", "replace", "rename", "link", "unlink"]
CALLS += ["mkdir", "utime", "stat", "lstat", "fstat", "listdir"]
KILLED = 77
CUT = 78

Fault = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


def clock() -> datetime:
    return datetime.now(UTC)


def open_vault(path: Path) -> LocalVault:
    return LocalVault(path, grace=timedelta(hours=24), clock=clock)


def put(vault: LocalVault, reference: str, version: str, value: bytes) -> None:
    vault.put(reference, version, value, content_type=CONTENT_TYPE)


@contextmanager
def fault_at(number: int, fault: Fault) -> Iterator[Callable[[], bool]]:
    """Let the ``number``-th call into ``os`` go wrong; yields whether it came to that."""
    count = 0

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                return fault(name, real, args, kwargs)
            return real(*args, **kwargs)

        return call

    real = {name: getattr(os, name) for name in CALLS}
    for name, function in real.items():
        setattr(os, name, guarded(name, function))
    try:
        yield lambda: count >= number
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def fails(code: int) -> Fault:
    def fault(name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if name == "close":  # the descriptor is closed even where close reports an error
            real(*args, **kwargs)
        raise OSError(code, "made to fail")

    return fault


def kills(name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    os._exit(KILLED)


def cuts(name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Half of a write gets through, then the process is gone; other calls only happen."""
    if name == "write":
        real(args[0], bytes(args[1])[: len(args[1]) // 2])
        os._exit(CUT)
    return real(*args, **kwargs)


def short(name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The system takes only part of a write, which is no error."""
    if name == "write":
        return real(args[0], bytes(args[1])[:3])
    return real(*args, **kwargs)


@dataclass(frozen=True)
class Scenario:
    prepare: Callable[[LocalVault], None]
    act: Callable[[LocalVault], None]
    # With the vault and whether the act was acknowledged.
    expect: Callable[[LocalVault, bool], None]


def nothing(vault: LocalVault) -> None:
    pass


def prepare_and_put(vault: LocalVault) -> None:
    vault.prepare()
    put(vault, "file-a", NEW, NEW_VALUE)


def with_old(vault: LocalVault) -> None:
    vault.prepare()
    put(vault, "file-a", OLD, OLD_VALUE)


def with_both(vault: LocalVault) -> None:
    with_old(vault)
    put(vault, "file-a", NEW, NEW_VALUE)


def first_or_none(vault: LocalVault, acknowledged: bool) -> None:
    with suppress(KeyVaultError):  # no vault, or no key in it, is what was before
        assert vault.get("file-a", NEW).value == NEW_VALUE
        return
    assert not acknowledged


def old_kept(vault: LocalVault, acknowledged: bool) -> None:
    assert vault.get("file-a", OLD).value == OLD_VALUE
    names = {info.version for info in vault.versions("file-a")}
    assert names in ([{OLD, NEW}] if acknowledged else [{OLD}, {OLD, NEW}])
    if NEW in names:
        assert vault.get("file-a", NEW).value == NEW_VALUE


def old_or_rewrapped(vault: LocalVault, acknowledged: bool) -> None:
    value = vault.get("file-a", OLD).value
    assert value in ([b"wrapped anew"] if acknowledged else [OLD_VALUE, b"wrapped anew"])


def disabled(vault: LocalVault, acknowledged: bool) -> None:
    entry = vault.get("file-a", OLD)
    assert entry.value == OLD_VALUE
    assert vault.get("file-a", NEW).value == NEW_VALUE
    assert vault.get("file-a", NEW).enabled
    assert not (acknowledged and entry.enabled)


def gone(vault: LocalVault, acknowledged: bool) -> None:
    if not acknowledged:
        with suppress(KeyNotFound):
            assert vault.get("file-a", OLD).value == OLD_VALUE
            assert vault.get("file-a", NEW).value == NEW_VALUE
        vault.delete("file-a")  # as the resumed deletion does
    with pytest.raises(KeyNotFound):
        vault.get("file-a", OLD)


SCENARIOS = {
    "first start": Scenario(nothing, prepare_and_put, first_or_none),
    "first key": Scenario(
        LocalVault.prepare, lambda vault: put(vault, "file-a", NEW, NEW_VALUE), first_or_none
    ),
    "another version": Scenario(
        with_old, lambda vault: put(vault, "file-a", NEW, NEW_VALUE), old_kept
    ),
    "the same version": Scenario(
        with_old, lambda vault: put(vault, "file-a", OLD, b"wrapped anew"), old_or_rewrapped
    ),
    "disable": Scenario(with_both, lambda vault: vault.disable("file-a", OLD), disabled),
    "delete": Scenario(with_both, lambda vault: vault.delete("file-a"), gone),
}


def everything(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


def check_files(path: Path, scenario: str, acknowledged: bool) -> None:
    """Before recovery, as the disk is: no key file and no copy is half."""
    for found in everything(path):
        if found.name.endswith((".json", ".json.bak")):
            json.loads(found.read_bytes())
    if scenario == "delete" and acknowledged:
        assert [p.name for p in everything(path) if "file-a" in p.name] == []


def check_recovered(path: Path, scenario: Scenario, acknowledged: bool) -> None:
    """With a new process's vault: the state is one of those allowed and work goes on."""
    vault = open_vault(path)
    scenario.expect(vault, acknowledged)
    vault.prepare()
    put(vault, "file-z", NEW, b"life goes on")
    vault.purge_expired_copies()
    assert [p.name for p in everything(path) if p.name.startswith(".tmp-")] == []
    left = [p.name for p in everything(path) if "file-a" in p.name]
    if scenario.expect is gone:
        assert left == []


def run_in_child(act: Callable[[], bool]) -> int:
    """Exit code of a child: 0 where the act ran through, 1 where the fault was not reached."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = 0 if act() else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_fail_at_every_call(tmp_path: Path, name: str, code: int) -> None:
    scenario = SCENARIOS[name]
    told: list[str] = []
    for number in range(1, 200):
        path = tmp_path / str(number)
        scenario.prepare(open_vault(path))
        vault, acknowledged = open_vault(path), True
        with fault_at(number, fails(code)) as reached:
            try:
                scenario.act(vault)
            except KeyVaultError as error:
                acknowledged = False
                told.append(f"{error!r} {error.operation} {error.details}")
        check_files(path, name, acknowledged)
        assert [p.name for p in everything(path) if p.name.startswith(".tmp-")] == []
        if not acknowledged and scenario.expect is first_or_none:
            assert [p.name for p in everything(path) if "file-a" in p.name] == []
        check_recovered(path, scenario, acknowledged)
        if not reached():
            assert acknowledged
            assert len(told) > 8
            assert all("vault." in text and errno.errorcode[code] in text for text in told)
            assert "the new value" not in "".join(told)
            return
    pytest.fail("never ran through clean")


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("fault", [kills, cuts], ids=["killed", "cut"])
def test_die_at_every_call(tmp_path: Path, name: str, fault: Fault) -> None:
    scenario = SCENARIOS[name]
    died = 0
    for number in range(1, 200):
        path = tmp_path / str(number)
        scenario.prepare(open_vault(path))

        def act(path: Path = path, number: int = number) -> bool:
            with fault_at(number, fault) as reached:
                scenario.act(open_vault(path))
            return reached()

        code = run_in_child(act)
        assert code in {0, 1, KILLED, CUT}
        died += code in {KILLED, CUT}
        acknowledged = code in {0, 1}
        check_files(path, name, acknowledged)
        check_recovered(path, scenario, acknowledged)
        if code == 1:
            assert died > 10 or fault is cuts
            assert died > 0 or name == "delete"
            return
    pytest.fail("never ran through clean")


@pytest.mark.parametrize("name", SCENARIOS)
def test_short_writes_are_continued(tmp_path: Path, name: str) -> None:
    scenario = SCENARIOS[name]
    for number in range(1, 60):
        path = tmp_path / str(number)
        scenario.prepare(open_vault(path))
        with fault_at(number, short):
            scenario.act(open_vault(path))
        check_recovered(path, scenario, acknowledged=True)


def test_no_descriptor_is_left_open_by_a_failure(tmp_path: Path) -> None:
    open_files = Path("/proc/self/fd")
    if not open_files.exists():
        pytest.skip("counts descriptors by /proc")
    with_both(open_vault(tmp_path / "vault"))
    before = len(list(open_files.iterdir()))
    for number in range(1, 40):
        with fault_at(number, fails(errno.EIO)), suppress(KeyVaultError):
            open_vault(tmp_path / "vault").get("file-a", OLD)
        with fault_at(number, fails(errno.EIO)), suppress(KeyVaultError):
            open_vault(tmp_path / "vault").disable("file-a", NEW)
    assert len(list(open_files.iterdir())) == before


def test_processes_that_put_into_one_reference_lose_nothing(tmp_path: Path) -> None:
    """Each of 8 processes puts 12 versions while one more disables another."""
    with_old(open_vault(tmp_path / "vault"))
    values = {secrets.token_hex(16): secrets.token_bytes(40) for _ in range(96)}
    names = list(values)

    def writer(mine: list[str]) -> bool:
        vault = open_vault(tmp_path / "vault")
        for name in mine:
            put(vault, "file-a", name, values[name])
            assert vault.get("file-a", name).value == values[name]
        return True

    children = []
    for worker in range(8):
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = 0 if writer(names[worker::8]) else 1
            finally:
                os._exit(code)
        children.append(child)
    vault = open_vault(tmp_path / "vault")
    vault.disable("file-a", OLD)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert {name: vault.get("file-a", name).value for name in names} == values
    assert not vault.get("file-a", OLD).enabled


def test_a_reader_never_sees_a_half_written_file(tmp_path: Path) -> None:
    values = [str(number).encode() * (number * 10) for number in range(1, 150)]
    vault = open_vault(tmp_path / "vault")
    vault.prepare()
    put(vault, "file-a", OLD, values[0])
    child = os.fork()
    if child == 0:
        code = 99
        try:
            writer = open_vault(tmp_path / "vault")
            for value in values:
                put(writer, "file-a", OLD, value)
            code = 0
        finally:
            os._exit(code)
    seen: list[int] = []
    done = (0, 0)
    while done == (0, 0):
        done = os.waitpid(child, os.WNOHANG)
        seen.append(values.index(vault.get("file-a", OLD).value))
    assert done[1] == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
