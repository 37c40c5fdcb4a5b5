"""The table of what the founding documents name: all of it is there, and leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from app import create_app, errors
from app.config import setting_names

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "operations.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## What the older documents call it")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (?!\*\*|-|there)(.+?) \| (.+?) \|$", TABLE, re.MULTILINE)

#: Read out of the documents line by line: scripts, tests, addresses, settings.
DOCUMENTS = """
IMAGE_ENCRYPTION_KEY /dam/loras/filename.ext.enc ENCRYPTION_ENABLED ENCRYPTION_ALGORITHM
ENCRYPTION_KEY_ROTATION_DAYS ENCRYPTION_CHUNK_SIZE_MB KEY_VAULT_ENABLED KEY_VAULT_MODE
KEY_VAULT_URL KEY_VAULT_TENANT_ID KEY_VAULT_CLIENT_ID KEY_VAULT_CLIENT_SECRET
KEY_VAULT_CACHE_ENABLED KEY_VAULT_CACHE_DURATION_MINUTES KEY_VAULT_LOCAL_PATH file_keys
KeyVaultError KeyManagementError EncryptionError scripts/generate_encryption_key.py
ENCRYPTION_KEY DEV_ENCRYPTION_KEY PROD_ENCRYPTION_KEY .env.example tests/test_crypto.py
tests/test_crypto.py::test_environment_integration tests/test_integration_encryption.py
vms_service/tests/test_encrypted_storage.py tests/test_e2e_encryption.py
scripts/verify_encryption.py /clips/test_video.mp4 scripts/migrate_to_encryption.py
scripts/verify_encryption_migration.py /api/images/upload /api/images/user
/api/images/[imageId] /api/images/[imageId]/delete /api/images/presigned-url
/api/auth/[...nextauth] /tools/images/upload /tools/images/gallery MONGODB_URI
MONGODB_DB_NAME R2_ACCESS_KEY_ID R2_SECRET_ACCESS_KEY R2_BUCKET R2_ENDPOINT R2_REGION
NEXTAUTH_URL NEXTAUTH_SECRET UPLOAD_MAX_SIZE UPLOAD_MAX_FILES SIGNED_URL_EXPIRY
.env.production.example .env.production SECRET_KEY API_KEY ADMIN_API_KEY FAL_API_KEY
BACKEND_CORS_ORIGINS ALLOWED_HOSTS docker-compose.prod.yml /api/v1/upload
/api/v1/admin/disk-usage /api/v1/admin/system-health
"""


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Settings, commands, routes, errors of this program."""
    app = create_app()
    found = set(setting_names()) | set(vars(errors))
    found |= {rule.rule for rule in app.url_map.iter_rules()}
    for name, group in app.cli.commands.items():
        if isinstance(group, click.Group):
            found |= {f"{name} {one}" for one in group.list_commands(click.Context(group))}
    return found


def test_every_name_of_the_documents_has_a_row() -> None:
    told = {word for there, _ in ROWS for name in names(there) for word in name.split()}
    assert [name for name in DOCUMENTS.split() if name not in told] == []


def test_what_does_it_here_exists(known: set[str]) -> None:
    """Commands, settings, addresses and files; what starts with -- is an option."""
    beside = {".enc", ".enc.meta", ".env", "url", "file-{file_id}"}
    here = {name for _, cell in ROWS for name in names(cell)} - beside
    strange = {name for name in here - known if not name.startswith("--")}
    assert {name for name in strange if not (TOP / name).exists()} == set()
    assert len(here) > 60


def test_every_row_says_what_does_it_here() -> None:
    assert len(ROWS) > 50
    assert [there for there, here in ROWS if not here.strip()] == []
