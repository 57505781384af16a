"""Each starting template fills the form with settings that the form accepts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from otto_web.loop.forms.pipelines import PipelineForm
from otto_web.loop.selectors.starters import STARTERS, starter_values

pytestmark = pytest.mark.django_db


@pytest.mark.checklist(104, 251, 252, 253, 254)
def test_every_template_is_offered_with_its_files_and_fills_the_form(client_of, theo):
    client, address = client_of(theo), reverse("pipeline-new")
    page = client.get(address).content.decode()
    for name, starter in STARTERS.items():
        assert f"?starter={name}" in page
        assert starter.sentence in page
        filled = client.get(address, {"starter": name}).context["form"]
        assert {key: filled[key].value() for key in starter.values} == starter.values
        form = PipelineForm(theo, {key: str(value) for key, value in starter.values.items()})
        assert form.is_valid(), form.errors
        assert form.order().wishes.max_tokens == starter.values["max_tokens"]
    assert starter_values("nothing of the kind") == {}
