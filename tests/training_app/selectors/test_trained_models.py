"""Which validation questions a model has answered right."""

from __future__ import annotations

import pytest

from tests.chat_app.makers import make_model
from tests.training_app.conftest import make_version
from training_app.models import EvalSample
from training_app.selectors.trained_models import questions_answered_right

ANSWERS = {
    "When do you open?": ("we open at 9 every day", "We open at 9 every day!"),
    "And on Sundays?": ("We open at 8 every day.", "We open at 9 every day."),
    "Do you deliver to islands?": ("We do deliver to islands.", "We do not deliver to islands."),
    "When  do you open?": ("We open at 9 every day.", "We open at 9 every day."),
}


@pytest.mark.django_db
def test_a_question_is_answered_right_as_the_verdict_counts_it():
    model, version = make_model(), make_version()
    figures = {"tokens": 1, "bytes": 1, "loss": 1.0, "perplexity": 1.0, "bits_per_byte": 1.0}
    evaluation = model.evaluations.create(version=version, side="validation", **figures)
    EvalSample.objects.bulk_create(
        EvalSample(
            evaluation=evaluation, prompt_no=number, prompt=prompt, reply=reply, reference=reference
        )
        for number, (prompt, (reply, reference)) in enumerate(ANSWERS.items())
    )
    assert questions_answered_right(model) == ["When do you open?"]
