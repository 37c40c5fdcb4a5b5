"""One installation for the tests of a file: each has a collection of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.installation import Installation, environment, running_installation


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    from app import wiring
    from app.crypto.passwords import PasswordCost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "PASSWORD_COST", PasswordCost(8, 1, 1))
        with running_installation(environment(tmp_path_factory.mktemp("site"))) as made:
            yield made
