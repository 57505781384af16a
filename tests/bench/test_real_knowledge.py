"""Knowledge of public data sets, built as a worker builds it and asked as people ask.

Needs the folder of public data next to the project, and the encoder's package once.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_app.jobs import freezing
from datasets_app.jobs.knowledge import build_knowledge
from datasets_app.jobs.loading import load_path
from datasets_app.knowledge.encoder import Encoder as SentenceEncoder
from datasets_app.knowledge.find import Knowledge as Known
from datasets_app.models import Dataset, Encoder, Knowledge
from tests.training_app.packages import real_package
from training_app.lm.bases.encoder_folder import write_encoder
from training_app.lm.bases.known import known_bases, take_files

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
QUESTIONS = Path(__file__).parents[1] / "datasets_app" / "knowledge" / "faq_questions.jsonl"
MINILM = "all-minilm-l6-v2"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here"),
]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    """Return the folder of the real encoder, converted as OTTO does it."""
    base = known_bases()[MINILM]
    folder = tmp_path_factory.mktemp("minilm")
    source = take_files(real_package(base), base, folder / "source", lambda count: None)
    made = folder / "made"
    made.mkdir()
    write_encoder(source, made, name=MINILM)
    return made


@pytest.fixture
def known(cora, data_dir, minilm):
    """Return what makes a dataset of a file, its version, and the knowledge of that."""
    (data_dir / "encoders").mkdir(parents=True, exist_ok=True)
    (data_dir / "encoders" / MINILM).symlink_to(minilm)
    told = json.loads((minilm / "encoder.json").read_text())
    facts = {key: told[key] for key in ("name", "dims", "max_tokens", "sha256", "precision")}
    row = Encoder.objects.create(path=f"encoders/{MINILM}", **facts)

    def make(path: Path) -> tuple[Knowledge, Known, SentenceEncoder]:
        load_path(path, dataset=path.stem, by=cora)
        version = freezing.freeze_version(Dataset.objects.get(name=path.stem), user=cora)
        built = Knowledge.objects.get(pk=version.pk)
        while built.is_under_way:  # it is built in turns of some seconds
            build_knowledge(version.pk)
            built.refresh_from_db()
        return built, Known.open(built.folder), SentenceEncoder.open(row.folder, threads=2)

    return make


def test_a_customer_gets_the_answer_of_the_place_that_is_named(known):
    path = DATA / "dstc9-faq" / "knowledge.json"
    told = json.loads(path.read_text())
    _, knowledge, encoder = known(path)
    first = among = 0
    for asked in map(json.loads, QUESTIONS.read_text().splitlines()):
        place = told[asked["domain"]][asked["entity"]]
        right = place["docs"][asked["doc"]]["body"].strip()
        name = place["name"] or asked["domain"]
        (vector,) = encoder.encode([asked["question"]])
        found = knowledge.find(asked["question"], vector=vector)
        is_right = [
            one.piece.answer == right and one.piece.question.startswith(f"{name}\n")
            for one in found
        ]
        first, among = first + is_right[0], among + any(is_right)
    assert first >= 80, (first, among)
    assert among >= 93, (first, among)


@pytest.mark.parametrize(
    ("file", "script"),
    [
        ("korean-chatbot/ChatbotData.csv", "Korean"),
        ("xquad/xquad.zh.json", "Chinese"),
        ("xquad/xquad.ar.json", "Arabic"),
    ],
)
def test_a_language_that_the_encoder_does_not_serve_is_told_and_found_by_words(known, file, script):
    built, _, _ = known(DATA / file)
    figures = built.facts["figures"][script]
    assert not figures["is_served"], figures
    assert figures["both"] > figures["vectors"], figures
