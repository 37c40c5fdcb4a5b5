"""An application whose settings are wrong: it imports, shows its help, and does nothing."""

from __future__ import annotations

from typing import NoReturn

from app.errors import DarkroomError


class Unsound:
    """Stands where the installation would; whoever asks for anything gets the reason."""

    def __init__(self, reason: DarkroomError) -> None:
        self._reason = reason

    def close(self) -> None:
        """There is nothing to give back."""

    def __getattr__(self, name: str) -> NoReturn:
        raise self._reason
