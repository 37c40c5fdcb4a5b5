"""Keys moved to a vault on the network and back, on whole installations that go on serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from app import wiring_key_rooms
from app.config import Settings
from app.config_vault import VaultMode
from app.crypto.keys import generate_key
from app.db.times import utc_now
from app.errors import ConfigurationError, KeyVaultUnavailable, WorkStopped
from app.jobs.watch import Unwatched
from app.services.keys.move import MoveReport
from app.vault.azure import AzureVault
from app.vault.azure_keys import AzureWrapper
from app.vault.interface import KeyVault
from app.wiring_vault import VaultParts, build_vault
from tests.fixtures.azure import LoopbackAzure
from tests.fixtures.installation import (
    ApiClient,
    Installation,
    environment,
    running_installation,
)
from tests.fixtures.openbao import TOKEN, BaoServer
from tests.fixtures.pictures import png, scene

OLD = bytes(15) + b"\x01"


class Stop:
    """Asks the work to end at its nth step."""

    def __init__(self, at: int) -> None:
        self._left = at

    def advance(self, done: int, total: int | None = None) -> None:
        self._left -= 1
        if self._left <= 0:
            raise WorkStopped("stop")


@dataclass
class Remote:
    """A vault on the network, and the settings that name it beside the local one."""

    mode: VaultMode
    environ: dict[str, str]


@pytest.fixture(params=["azure", "hashicorp"])
def remote(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Remote:
    if request.param == "hashicorp":
        bao: BaoServer = request.getfixturevalue("openbao")
        return Remote("hashicorp", bao_settings(bao))
    azure: LoopbackAzure = request.getfixturevalue("azure")

    def build(settings: Settings, mode: VaultMode | None = None) -> VaultParts:
        """As the application does, but for clients that may talk to loopback."""
        if (mode or settings.vault.mode) != "azure":
            return build_vault(settings, mode)
        vault = AzureVault(azure.secret_client(), utc_now)
        return VaultParts(vault, AzureWrapper(azure.key_client()), vault.close)

    monkeypatch.setattr(wiring_key_rooms, "build_vault", build)
    return Remote("azure", {"KEY_VAULT_URL": azure.url})


def bao_settings(bao: BaoServer) -> dict[str, str]:
    return {
        "KEY_VAULT_URL": bao.url,
        "VAULT_TOKEN": TOKEN,
        "VAULT_MOUNT": bao.new_mount(),
    }


@dataclass
class Place:
    """An installation that is started again and again, each time with another vault."""

    environ: dict[str, str]
    key: str = ""
    pictures: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    @contextmanager
    def started(self, mode: VaultMode) -> Iterator[Installation]:
        with running_installation(self.environ | {"KEY_VAULT_MODE": mode}) as running:
            yield running

    def api(self, running: Installation) -> ApiClient:
        self.key = self.key or running.key()
        return ApiClient(running.app.test_client(), self.key)

    def upload(self, running: Installation, content: bytes) -> str:
        (image,) = self.api(running).upload((content, "a.png")).json["images"]
        self.pictures[image["id"]] = image["url"], content
        return str(image["id"])

    def check_serves(self, running: Installation) -> None:
        for url, content in self.pictures.values():
            assert self.api(running).get(url).data == content
        problems = [one for one in running.services.verification.images() if one.problem]
        assert problems == []

    def destroy(self, running: Installation, image_id: str) -> None:
        gone = self.api(running).delete(f"/api/v1/images/{image_id}?permanent=true")
        assert gone.status_code < 300
        del self.pictures[image_id]


def move(running: Installation, to: VaultMode, source: VaultMode, what: str) -> MoveReport:
    """As the command does it."""
    work = running.services.key_changes.move
    with running.house.two_vaults(to, source) as (old, new, present):
        if what == "remove":
            return work.remove(Unwatched(), old, new)
        return work.copy(Unwatched(), old, new, switched=present == to)


def contents(vault: KeyVault) -> dict[tuple[str, str], tuple[bytes, str, bool, bool]]:
    """Everything of every version, but for times."""
    found = {}
    for reference in vault.references():
        for info in vault.versions(reference):
            entry = vault.get(reference, info.version)
            about = entry.value, entry.content_type, entry.enabled, info.current
            found[reference, info.version] = about
    return found


@pytest.fixture
def place(tmp_path: Path, remote: Remote) -> Place:
    return Place(environment(tmp_path, **remote.environ))


def test_there_and_back(place: Place, remote: Remote) -> None:
    there = remote.mode
    with place.started("local") as running:
        first, second = (place.upload(running, png(scene(8 + n, 8))) for n in range(2))
        running.house.vaulting.store(f"file-{first}", OLD, generate_key())
        running.house.vaulting.disable(f"file-{first}", OLD)
        before = contents(running.house.vault)
        assert move(running, there, "local", "copy").complete
        with running.house.two_vaults(there, "local") as (_, new, _present):
            assert contents(new) == before
        third = place.upload(running, png(scene(20, 8)))
    with place.started(there) as running:
        assert move(running, there, "local", "copy").complete
        place.check_serves(running)
        place.upload(running, png(scene(21, 8)))
        place.destroy(running, second)
        assert move(running, there, "local", "remove").remaining == 1  # may be an upload's
        running.services.key_changes.move._clock = lambda: utc_now() + timedelta(hours=2)
        assert move(running, there, "local", "remove").complete
        with running.house.two_vaults(there, "local") as (old, _new, _present):
            assert list(old.references()) == []
        place.check_serves(running)
        assert move(running, there, "local", "remove").complete  # again is no error
        before = contents(running.house.vault)
        assert not before[f"file-{first}", OLD.hex()][2]
        assert move(running, "local", there, "copy").complete
    with place.started("local") as running:
        assert contents(running.house.vault) == before
        assert move(running, "local", there, "remove").complete
        place.check_serves(running)
        place.upload(running, png(scene(22, 8)))
        place.destroy(running, third)
        place.check_serves(running)


def test_what_does_not_open_there_stays(place: Place, remote: Remote) -> None:
    with place.started("local") as running:
        image = place.upload(running, png())
        assert move(running, remote.mode, "local", "copy").complete
    with place.started(remote.mode) as running:
        running.house.vault.delete(f"file-{image}")
        before = contents(running.house.vault)
        report = move(running, remote.mode, "local", "remove")
        assert report.failures == (f"file-{image}",)
        with running.house.two_vaults(remote.mode, "local") as (old, _new, _present):
            assert {name for name, _ in contents(old)} >= {f"file-{image}", "root-columns"}
        assert contents(running.house.vault) == before


def test_goes_on_where_it_was_stopped(place: Place, remote: Remote) -> None:
    with place.started("local") as running:
        image = place.upload(running, png())
        work = running.services.key_changes.move
        for at in (2, 7):
            with (
                running.house.two_vaults(remote.mode) as (old, new, _),
                pytest.raises(WorkStopped),
            ):
                work.copy(Stop(at), old, new)
        assert move(running, remote.mode, "local", "copy").complete
    with place.started(remote.mode) as running:
        place.check_serves(running)
        assert running.house.vault.versions(f"file-{image}")


Spoil = Callable[[KeyVault], None]


def _other_root(vault: KeyVault) -> None:
    vault.put("root-columns", "00" * 16, bytes(40), content_type="other")


def _files_alone(vault: KeyVault) -> None:
    vault.put("file-00000000-0000-4000-8000-000000000000", "00" * 16, b"x", content_type="x")


@pytest.mark.parametrize("spoil", [_other_root, _files_alone])
def test_a_target_that_is_not_ours_is_refused(
    place: Place, remote: Remote, spoil: Spoil
) -> None:
    with place.started("local") as running:
        place.upload(running, png())
        with running.house.two_vaults(remote.mode) as (_, new, _present):
            spoil(new)
            before = contents(new)
            with pytest.raises(ConfigurationError, match=r"ame an empty"):
                move(running, remote.mode, "local", "copy")
            assert contents(new) == before
        place.check_serves(running)


def test_the_vault_of_another_installation_is_not_emptied(
    place: Place, remote: Remote, tmp_path: Path
) -> None:
    """KEY_VAULT_PATH that names the wrong folder on the day of the removal."""
    with place.started("local") as running:
        place.upload(running, png())
        assert move(running, remote.mode, "local", "copy").complete
    other = Place(environment(tmp_path / "other"))
    with other.started("local") as strange:
        other.upload(strange, png())
        theirs = strange.house.vault
        before = contents(theirs)
        with place.started(remote.mode) as running:
            with pytest.raises(ConfigurationError, match="different installations"):
                running.services.key_changes.move.remove(
                    Unwatched(), theirs, running.house.vault
                )
            with pytest.raises(ConfigurationError, match="different installations"):
                running.services.key_changes.move.copy(
                    Unwatched(), theirs, running.house.vault, switched=True
                )
        assert contents(theirs) == before
        other.check_serves(strange)


CALLS = ("put", "get", "disable", "delete", "versions", "references")


def _failing(vault: KeyVault, at: int, calls: list[str]) -> ExitStack:
    """Every call is written down; the nth fails after it took effect, as a line does that
    breaks before the answer."""
    undo = ExitStack()

    def watched(name: str) -> Callable[..., object]:
        real = getattr(vault, name)

        def call(*args: object, **kwargs: object) -> object:
            calls.append(name)
            answer = real(*args, **kwargs)
            if len(calls) == at:
                raise KeyVaultUnavailable("The vault is away.")
            return answer

        return call

    for name in CALLS:
        undo.enter_context(mock.patch.object(vault, name, watched(name)))
    return undo


def test_the_line_breaks_at_every_change(tmp_path: Path, openbao: BaoServer) -> None:
    place = Place(environment(tmp_path, **bao_settings(openbao)))
    with place.started("local") as running:
        image = place.upload(running, png())
        running.house.vaulting.store(f"file-{image}", OLD, generate_key())
        running.house.vaulting.disable(f"file-{image}", OLD)
        work, before, calls = (
            running.services.key_changes.move,
            contents(running.house.vault),
            [],
        )
        with running.house.two_vaults("hashicorp") as (old, new, _):
            with _failing(new, 0, calls):
                work.copy(Unwatched(), old, new)
            tried = 0
            for at, name in enumerate(calls, 1):
                if name not in {"put", "disable", "delete"} and at % 5:
                    continue
                for reference in list(new.references()):
                    new.delete(reference)
                with _failing(new, at, []), suppress(KeyVaultUnavailable):
                    work.copy(Unwatched(), old, new)
                assert work.copy(Unwatched(), old, new).complete, f"{at} {name}"
                assert contents(new) == before, f"{at} {name}"
                tried += 1
        print(f"move to OpenBao: failed at {tried} of {len(calls)} calls")
        assert tried > 8
