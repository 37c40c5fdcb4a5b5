from __future__ import annotations

from app.domain.states import ImageStatus, shown_status


def test_the_trash_hides_the_status_but_not_the_destruction() -> None:
    for status in ImageStatus:
        assert shown_status(status.value, trashed=False) is status
    assert shown_status("quarantined", trashed=True) is ImageStatus.TRASHED
    assert shown_status("destroyed", trashed=True) is ImageStatus.DESTROYED
