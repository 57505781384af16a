"""“Prepare only”: tokens and text as a run would read them, without a run."""

from __future__ import annotations

import io
import json
import re
import zipfile

import numpy as np
import pytest
from django.urls import reverse

from datasets_app.models import VersionRow
from otto_web.lib.models import AuditEntry
from tests.training_app.conftest import make_version, toy_order
from tests.training_app.views.test_runs import filled
from training_app.jobs.preparing import prepare_data
from training_app.jobs.trainer.data import source_of
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import Start
from training_app.lm.prepare import prepare
from training_app.models import Preparation, Run, paths
from training_app.services.folders import stray_preparations
from training_app.services.preparations import MOST_KEPT, order_preparation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def prepared(version, by, **model):
    made = order_preparation(toy_order(version), by=by)
    if model:
        made.spec["model"].update(model)
        made.save(update_fields=["spec"])
    prepare_data(made.pk)
    made.refresh_from_db()
    return made


@pytest.mark.slow
@pytest.mark.checklist(13, 73, 75, 76)
def test_the_form_prepares_without_a_run_and_the_page_says_what_would_be_read(
    version, theo, client_of
):
    client = client_of(theo)
    answer = client.post(reverse("run-new"), filled(version, prepare="1"))
    made = Preparation.objects.get()
    assert answer.url == reverse("preparation-detail", args=[made.pk])
    assert "as for a run" in words(client.get(answer.url))
    prepare_data(made.pk)
    assert not Run.objects.exists()
    told = words(client.get(answer.url))
    made.refresh_from_db()
    train = made.facts["splits"][0]
    assert f"train {train['texts']} {train['tokens']:,} {train['learnt']:,}" in told
    assert "Lengths in tokens, validation" in told
    assert "What exactly the model reads" in told
    assert "context of 128 tokens" in told
    assert f"{made.facts['entries']} entries" in told  # the vocabulary, as large as data support
    assert made.facts["entries"] < made.spec["model"]["vocab_size"]
    assert "Data check: 6 files of" in told
    sizes = [train["median"], train["mean"], train["shortest"], train["longest"]]
    assert sizes == sorted(sizes[:2]) + sizes[2:]
    assert f"{train['shortest']} {train['longest']}" in told
    page = client.get(answer.url).content.decode()
    marked = re.findall(r"<mark>([^<]+)</mark>", page)
    talk = version.rows.filter(split="train").order_by("position").first().conversation
    assert talk.turns[1]["text"] in marked[0]
    assert talk.turns[0]["text"] not in "".join(marked)
    assert AuditEntry.objects.filter(verb="prepare").exists()


@pytest.mark.checklist(74, 75, 77)
def test_the_tokens_are_those_that_a_run_trains_on_and_the_texts_are_theirs(
    version, theo, client_of, tmp_path
):
    made = prepared(version, theo)
    spec = RunSpec.from_json(made.spec)
    events = type("Events", (), {"phase": lambda *_: None, "note": lambda *_: None})()
    run = prepare(spec, source_of(version, spec), tmp_path, events, Start())
    address = reverse("preparation-download", args=[made.pk])
    answer = client_of(theo).get(address)
    found = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    for split, packed in (("train", run.train), ("validation", run.validation)):
        tokens = np.frombuffer(found.read(f"prepared/{split}/tokens.bin"), packed.tokens.dtype)
        assert tokens.tolist() == packed.tokens.tolist()
        learnt = np.frombuffer(found.read(f"prepared/{split}/answers.bin"), np.uint8)
        assert learnt.tolist() == packed.answers.tolist()
        lines = [json.loads(one) for one in found.read(f"prepared/{split}/text.jsonl").splitlines()]
        assert len(lines) == packed.facts.conversations
        talks = VersionRow.objects.filter(version=version, split=split).order_by("position")
        for line, row in zip(lines, talks, strict=True):
            assert all(turn["text"] in line["text"] for turn in row.conversation.turns)
            assert row.conversation.turns[1]["text"] in "".join(line["learnt"])
        plain = found.read(f"prepared/{split}.txt").decode()
        assert plain.count("\n\n") == len(lines)
        assert all(turn["text"] in plain for row in talks for turn in row.conversation.turns)
        assert "<|" not in plain
        alone = client_of(theo).get(reverse(f"preparation-{split}", args=[made.pk]))
        assert (alone["Content-Type"], alone.getvalue().decode()) == (
            "text/plain; charset=utf-8",
            plain,
        )
    answer = client_of(theo).get(reverse("preparation-statistics", args=[made.pk]))
    told = json.loads(answer.getvalue())
    assert (told["total_documents"], told["train_documents"], told["val_documents"]) == (24, 20, 4)
    lengths = np.diff(np.append(run.train.starts, run.train.facts.tokens))
    assert told["token_stats"]["train"] == {
        "total_tokens": run.train.facts.tokens,
        "num_documents": 20,
        "avg_tokens_per_document": round(float(lengths.mean()), 1),
        "min_tokens_per_document": int(lengths.min()),
        "max_tokens_per_document": int(lengths.max()),
        "file_size_mb": round(2 * run.train.facts.tokens / 1e6, 3),
        "dtype": "uint16",
    }
    assert told["vocab_size"] == made.facts["entries"]
    assert found.read("prepared/tokenizer.json") == (run.folder / "tokenizer.json").read_bytes()


def test_what_is_longer_than_the_context_is_said(theo, client_of):
    made = prepared(make_version(), theo, context=16)
    told = words(client_of(theo).get(reverse("preparation-detail", args=[made.pk])))
    overlong = made.facts["splits"][0]["overlong"]
    assert overlong > 0
    assert f"{overlong} to learn from are longer than the context of 16 tokens" in told


def test_what_cannot_be_prepared_says_why_and_leaves_no_files(theo, client_of):
    version = make_version()
    VersionRow.objects.filter(version=version, split="validation").delete()
    made = prepared(version, theo)
    told = words(client_of(theo).get(reverse("preparation-detail", args=[made.pk])))
    assert "There is no conversation in this split of the data" in told
    assert not paths.absolute(made.folder).exists()
    answer = client_of(theo).get(reverse("preparation-download", args=[made.pk]))
    assert answer.status_code == 404


def test_the_last_ones_are_kept_and_what_no_row_names_is_swept(version, theo, cora, client_of):
    made = prepared(version, theo)
    assert list(stray_preparations()) == []
    assert client_of(cora).get(reverse("preparation-detail", args=[made.pk])).status_code == 403
    answer = client_of(theo).post(reverse("preparation-delete", args=[made.pk]))
    assert answer.url == reverse("version-detail", args=[version.pk])
    assert list(stray_preparations()) == [paths.absolute(made.path)]
    for _ in range(MOST_KEPT + 2):
        order_preparation(toy_order(version), by=theo)
    assert Preparation.objects.count() == MOST_KEPT


@pytest.mark.checklist(76)
@pytest.mark.parametrize("file", ["train/tokens.bin", "validation/starts.bin"])
def test_a_run_refuses_prepared_data_that_are_not_as_they_were_written(file, version, tmp_path):
    spec = toy_order(version).spec
    events = type("Events", (), {"phase": lambda *_: None, "note": lambda *_: None})()
    prepare(spec, source_of(version, spec), tmp_path, events, Start())
    prepare(spec, source_of(version, spec), tmp_path, events, Start())  # as an attempt that goes on
    path = tmp_path / "prepared" / file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=f"The prepared file {file} is not as it was written"):
        prepare(spec, source_of(version, spec), tmp_path, events, Start())
