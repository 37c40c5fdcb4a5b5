"""The memory of verified lengths is bounded and forgets nothing wrong."""

from app.crypto.length_verdicts import LengthVerdicts

TAG = bytes(32)


def test_a_verdict_is_of_one_file_in_one_state() -> None:
    verdicts = LengthVerdicts()
    verdicts.add((1, 2, 3, 4), TAG)
    assert verdicts.knows((1, 2, 3, 4), TAG)
    assert not verdicts.knows((1, 2, 3, 5), TAG)
    assert not verdicts.knows((1, 2, 3, 4), b"\x01" * 32)


def test_a_source_without_an_identity_is_never_remembered() -> None:
    verdicts = LengthVerdicts()
    verdicts.add((), TAG)
    assert not verdicts.knows((), TAG)


def test_the_least_recently_used_are_forgotten() -> None:
    verdicts = LengthVerdicts(capacity=3)
    for number in range(3):
        verdicts.add((number,), TAG)
    assert verdicts.knows((0,), TAG)
    verdicts.add((3,), TAG)
    assert [verdicts.knows((number,), TAG) for number in range(4)] == [True, False, True, True]


def test_all_can_be_forgotten() -> None:
    verdicts = LengthVerdicts()
    verdicts.add((1,), TAG)
    verdicts.clear()
    assert not verdicts.knows((1,), TAG)
