"""Every request of every change refused in turn, before and after it was carried out.

After a crash there is the former state or the new one, never a part, and the same call once
more completes it. A lost answer stands for a client that was killed as well: what it would
have done next was not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from app.errors import KeyNotFound, KeyVaultError
from app.vault.azure import AzureVault
from tests.azure.answers import Answer, Refusal, Request
from tests.fixtures.azure import LoopbackAzure

TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"
FIRST, SECOND = "0" * 31 + "1", "0" * 31 + "2"
Act = Callable[[AzureVault], None]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def vault(azure: LoopbackAzure) -> Iterator[AzureVault]:
    azure.cloud.secrets.slowness = 0.0
    made = AzureVault(azure.secret_client(), now)
    yield made
    made.close()


class FaultAt:
    """Refuses the ``at``-th request and all after it, the first one perhaps only when it was
    carried out; ``seen`` counts."""

    def __init__(self, azure: LoopbackAzure, at: int, *, is_late: bool) -> None:
        self._azure = azure
        self._at = at
        self._is_late = is_late
        self.seen = 0

    def __call__(self, request: Request) -> Answer | None:
        self.seen += 1
        if self.seen < self._at:
            return None
        if self.seen == self._at and self._is_late:
            try:
                self._azure.cloud.secrets.answer(request)
            except Refusal as refusal:
                return refusal.answer
        return Refusal(400, "Planted").answer


def put_anew(vault: AzureVault) -> None:
    vault.put("file-a", FIRST, b"new", content_type=TYPE)


def put_another(vault: AzureVault) -> None:
    vault.put("file-a", SECOND, b"second", content_type=TYPE)


def disable(vault: AzureVault) -> None:
    vault.disable("file-a", FIRST)


def read_what_is_disabled(vault: AzureVault) -> None:
    vault.disable("file-a", FIRST)
    vault.get("file-a", FIRST)


def delete(vault: AzureVault) -> None:
    vault.delete("file-a")


def state(vault: AzureVault) -> tuple[object, ...]:
    """What anybody can see of the key: its versions in order, their values and states."""
    try:
        infos = vault.versions("file-a")
    except KeyNotFound:
        return ()
    entries = [(info, vault.get("file-a", info.version)) for info in infos]
    return tuple((i.version, i.current, e.value, e.enabled, e.created_on) for i, e in entries)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(
    "act",
    [put_anew, put_another, disable, read_what_is_disabled, delete],
    ids=lambda a: a.__name__,
)
def test_each_request_in_turn(
    azure: LoopbackAzure, vault: AzureVault, act: Act, is_late: bool
) -> None:
    tried = 0
    while True:
        vault.delete("file-a")
        vault.put("file-a", FIRST, b"old", content_type=TYPE)
        before = state(vault)
        fault = FaultAt(azure, tried + 1, is_late=is_late)
        azure.cloud.faults.append(fault)
        try:
            act(vault)
        except KeyVaultError:
            is_over = False
        else:
            is_over = fault.seen <= tried
        azure.cloud.faults.clear()
        interrupted = state(vault)
        act(vault)
        after = state(vault)
        assert _value_only(interrupted) in (_value_only(before), _value_only(after)), tried
        if is_over:
            break
        tried += 1
    assert tried >= 2
    if act is put_anew:
        versions = azure.cloud.secrets.secrets["file-a"].versions
        assert sum(version.enabled for version in versions) == 1


def _value_only(seen: tuple[object, ...]) -> list[object]:
    """Times aside: a version that is put a second time was made a second time."""
    return [entry[:4] for entry in seen]  # type: ignore[index]
