"""How often one fixture is answered."""

from meterseal_edge.pace import AT_ONCE, EACH_S, NAMES, Pace


class Now:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


def test_a_few_are_answered_at_once_and_then_one_each_ten_seconds() -> None:
    """pace.py: AT_ONCE together, one more each EACH_S; so n seconds of asking give at most AT_ONCE + n / EACH_S."""
    now = Now()
    pace = Pace(now_s=now)
    assert [pace.may("W1") for _ in range(AT_ONCE + 2)] == [True] * AT_ONCE + [False, False]
    answered = 0
    for _ in range(1000):
        now.s += 1
        answered += pace.may("W1")
    assert answered == 1000 // EACH_S


def test_one_who_asks_all_the_time_takes_nothing_from_another() -> None:
    """A bucket a name."""
    pace = Pace(now_s=Now())
    while pace.may("W1"):
        continue
    assert pace.may("G1")


def test_patience_fills_the_bucket_again_but_never_over_the_rim() -> None:
    """After a day of silence there are AT_ONCE answers and no more."""
    now = Now()
    pace = Pace(now_s=now)
    pace.may("W1")
    now.s += 86_400
    assert [pace.may("W1") for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]


def test_names_without_end_fill_no_memory() -> None:
    """The name asked for longest ago goes."""
    pace = Pace(now_s=Now())
    for number in range(NAMES + 50):
        pace.may(f"W{number}")
    assert len(pace._saved) == NAMES
    assert "W0" not in pace._saved and f"W{NAMES + 49}" in pace._saved
