"""What counts as an answer that is right."""

from __future__ import annotations

import pytest

from training_app.selectors.trained_models import is_right


@pytest.mark.parametrize(
    ("reply", "reference", "right"),
    [
        ("We open at 9 every day.", "We open at 9 every day!", True),
        ("we open at 9 each day", "We open at 9 every day.", True),
        ("We open at 8 every day.", "We open at 9 every day.", False),
        ("We are closed.", "We open at 9 every day.", False),
        ("", "", False),
        ("…", "…", False),
    ],
)
def test_a_reply_is_right_with_nearly_the_words_and_all_numbers(reply, reference, right):
    assert is_right(reply, reference) is right
