"""Training and service put a value into the same bin."""

import pytest
from inference_worker.feature_bins import BINS, bin_of, shares

DECILES = tuple(float(value) for value in range(1, 10))
TIED = (0.2, 0.2, 0.4, 1.0, 1.2, 1.3, 1.5, 1.8, 2.2)


@pytest.mark.parametrize(("value", "number"), [(-1e9, 0), (1.0, 0), (1.5, 1), (9.0, 8), (9.1, 9), (1e300, 9)])
def test_value_is_in_the_bin_that_ends_at_it(value: float, number: int) -> None:
    assert bin_of(value, DECILES) == number


def test_no_value_is_in_a_bin_between_equal_deciles() -> None:
    assert {bin_of(value / 10, TIED) for value in range(40)} == set(range(BINS)) - {1}


def test_shares_of_all_bins_are_there_and_sum_to_one() -> None:
    found = shares([0.1, 0.2, 0.2, 5.0], TIED)

    assert found == (0.75, 0, 0, 0, 0, 0, 0, 0, 0, 0.25)


def test_no_values_have_no_shares() -> None:
    assert shares([], DECILES) == (0.0,) * BINS
