"""What Darkroom writes on a version of an Azure secret, and how it reads that back.

::

    value          base64 of the wrapped DEK
    content type   application/x-darkroom-dek;v=1;m=…
    tags           dkrm=<32 hex>            the version, as headers name it
                   dkrm-order=<n>.<r>       the n-th version of this reference, wrapped r times
                   dkrm-created=…Z          when the version was made, not this wrapping
                   dkrm-state=disabled      not to be used any more, whatever Azure says;
                                            opened: likewise, open for a moment to be read

Azure has no create-if-absent and no way to replace or delete one version: what is wrapped
anew is a new Azure version with the same tag and a higher ``r``, and the former is disabled.
Azure's own times are whole seconds, too coarse to tell what came last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.keyvault.secrets import SecretProperties

from app.vault.interface import VersionInfo

VERSION, ORDER, CREATED, STATE = "dkrm", "dkrm-order", "dkrm-created", "dkrm-state"
DISABLED, OPENED = "disabled", "opened"


@dataclass(frozen=True, slots=True)
class AzureVersion:
    """One Azure version; ``open``: Azure gives its value."""

    azure_id: str
    version: str
    place: int
    wrapping: int
    created_on: datetime
    open: bool
    disabled: bool
    content_type: str
    expires_on: datetime | None
    tags: dict[str, str]

    @property
    def enabled(self) -> bool:
        return self.open and not self.disabled

    @property
    def disabled_tags(self) -> dict[str, str]:
        return {**self.tags, STATE: DISABLED}

    @property
    def opened_tags(self) -> dict[str, str]:
        return {STATE: OPENED, **self.tags}


def tags_of(
    version: str, place: int, wrapping: int, created_on: datetime, *, disabled: bool
) -> dict[str, str]:
    """The tags of a new Azure version."""
    tags = {
        VERSION: version,
        ORDER: f"{place}.{wrapping}",
        CREATED: created_on.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return {**tags, STATE: DISABLED} if disabled else tags


def read_version(properties: SecretProperties) -> AzureVersion | None:
    """None for a version without our tag; ValueError for tags that make no sense."""
    tags = dict(properties.tags or {})
    if VERSION not in tags:
        return None
    place, _, wrapping = tags.get(ORDER, "1.1").partition(".")
    created = properties.created_on
    if CREATED in tags:
        created = datetime.fromisoformat(tags[CREATED])
    if created is None or created.tzinfo is None:
        raise ValueError("a version without a time")
    return AzureVersion(
        azure_id=properties.version or "",
        version=tags[VERSION],
        place=int(place),
        wrapping=int(wrapping),
        created_on=created.astimezone(UTC),
        open=bool(properties.enabled),
        disabled=STATE in tags,
        content_type=properties.content_type or "",
        expires_on=properties.expires_on,
        tags=tags,
    )


class Versions:
    """All Azure versions of one reference, told apart by our own."""

    def __init__(self, found: Iterable[AzureVersion]) -> None:
        self._by_version: dict[str, list[AzureVersion]] = {}
        for one in sorted(found, key=lambda one: (one.wrapping, one.created_on, one.azure_id)):
            self._by_version.setdefault(one.version, []).append(one)

    def __bool__(self) -> bool:
        return bool(self._by_version)

    def all_of(self, version: str) -> list[AzureVersion]:
        """Every wrapping, the former ones first."""
        return self._by_version.get(version, [])

    def newest(self, version: str) -> AzureVersion | None:
        """The one that counts; the same for everybody, also after a race of two writers."""
        return self.all_of(version)[-1] if version in self._by_version else None

    def is_disabled(self, version: str) -> bool:
        """Whether the version was taken out of use, on whichever of its wrappings it says."""
        wrappings = self.all_of(version)
        return any(one.disabled for one in wrappings) or not wrappings[-1].open

    def next_place(self) -> int:
        return 1 + max((all_[-1].place for all_ in self._by_version.values()), default=0)

    def infos(self) -> tuple[VersionInfo, ...]:
        """Oldest first; the last one is current."""
        newest = [wrappings[-1] for wrappings in self._by_version.values()]
        newest.sort(key=lambda one: (one.place, one.created_on, one.version))
        return tuple(self._info(one, current=one is newest[-1]) for one in newest)

    def _info(self, one: AzureVersion, *, current: bool) -> VersionInfo:
        return VersionInfo(
            version=one.version,
            enabled=not self.is_disabled(one.version),
            current=current,
            created_on=one.created_on,
            expires_on=one.expires_on,
            content_type=one.content_type,
        )
