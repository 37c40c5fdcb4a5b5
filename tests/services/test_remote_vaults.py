"""A whole installation whose keys lie in a vault on the network, in both ways of keying."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import wiring_key_rooms
from app.config import Settings
from app.db.times import utc_now
from app.vault.azure import AzureVault
from app.vault.azure_keys import AzureWrapper
from app.wiring_vault import VaultParts
from tests.fixtures.azure import LoopbackAzure
from tests.fixtures.installation import Installation, environment, running_installation
from tests.fixtures.openbao import TOKEN, BaoServer
from tests.fixtures.pictures import png


@pytest.fixture(params=["azure", "hashicorp"])
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    if request.param == "hashicorp":
        bao: BaoServer = request.getfixturevalue("openbao")
        with bao.client() as client:
            if "transit/" not in client.sys.list_mounted_secrets_engines()["data"]:
                client.sys.enable_secrets_engine("transit")
        return {
            "KEY_VAULT_MODE": "hashicorp",
            "KEY_VAULT_URL": bao.url,
            "VAULT_TOKEN": TOKEN,
            "VAULT_MOUNT": bao.new_mount(),
        }
    azure: LoopbackAzure = request.getfixturevalue("azure")

    def build_vault(_settings: Settings) -> VaultParts:
        """As the application does, but for clients that may talk to loopback."""
        vault = AzureVault(azure.secret_client(), utc_now)
        wrapper = AzureWrapper(azure.key_client())

        def close() -> None:
            vault.close()
            wrapper.close()

        return VaultParts(vault, wrapper, close)

    monkeypatch.setattr(wiring_key_rooms, "build_vault", build_vault)
    return {"KEY_VAULT_MODE": "azure", "KEY_VAULT_URL": azure.url}


@pytest.fixture(params=["direct", "envelope"])
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, settings: dict[str, str]
) -> Iterator[Installation]:
    environ = environment(tmp_path, **settings, KEY_VAULT_KEYING=request.param)
    with running_installation(environ) as installation:
        yield installation


def test_a_picture_from_upload_to_destruction(installation: Installation) -> None:
    api, vault = installation.api(), installation.house.vault
    picture = png()
    (image,) = api.upload((picture, "a.png")).json["images"]
    assert api.get(image["url"]).data == picture
    reference = f"file-{image['id']}"
    direct = installation.settings.keying == "direct"
    assert (reference in set(vault.references("file-"))) is direct
    assert not (installation.instance / "secrets").exists()
    assert installation.services.health.report().is_ready
    assert api.delete(f"/api/v1/images/{image['id']}?permanent=true").status_code < 300
    assert reference not in set(vault.references("file-"))


def test_another_start_finds_everything(installation: Installation) -> None:
    picture = png()
    (image,) = installation.api().upload((picture, "a.png")).json["images"]
    key = installation.key()
    installation.house.close()
    with running_installation(installation.environ) as again:
        got = again.app.test_client().get(
            image["url"], headers={"Authorization": f"Bearer {key}"}
        )
        assert got.data == picture
