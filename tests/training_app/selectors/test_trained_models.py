"""Which validation questions a model has answered right."""

from __future__ import annotations

import pytest

from otto_web.loop.selectors.home import home
from tests.chat_app.makers import make_model
from tests.training_app.conftest import make_version
from training_app.models import EvalSample, Run
from training_app.selectors.detail import run_detail_page
from training_app.selectors.trained_models import model_list, questions_answered_right

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
    evaluation = model.evaluations.create(version=version, split="validation", **figures)
    EvalSample.objects.bulk_create(
        EvalSample(
            evaluation=evaluation, prompt_no=number, prompt=prompt, reply=reply, reference=reference
        )
        for number, (prompt, (reply, reference)) in enumerate(ANSWERS.items())
    )
    assert questions_answered_right(model) == ["When do you open?"]


@pytest.mark.django_db
def test_a_look_at_the_test_split_leaves_what_is_said_of_the_validation_split(queued_run, ada):
    model = make_model(run=queued_run)
    for split, value, reply in (("validation", 1.25, "At 9."), ("test", 4.5, "Never.")):
        figures = dict.fromkeys(("loss", "perplexity", "bits_per_byte"), value)
        measured = model.evaluations.create(
            version=queued_run.version, split=split, tokens=1, bytes=1, **figures
        )
        EvalSample.objects.create(
            evaluation=measured, prompt_no=0, prompt=f"{split}?", reply=reply, reference="At 9."
        )
    shown = run_detail_page(Run.objects.get(pk=queued_run.pk))
    assert (shown["evaluation"].split, shown["evaluation"].loss) == ("validation", 1.25)
    listed = model_list(ada)[0]
    assert (listed.bits_per_byte, listed.perplexity) == (1.25, 1.25)
    assert questions_answered_right(model) == ["validation?"]
    stage = next(stage for stage in home(ada).stages if stage.title == "Evaluate")
    assert (stage.figure, stage.note) == (2, "last: 1.25 bits per byte")
