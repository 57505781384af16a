"""Pages of scores: order, watch, cuts, issues, calibration, report, format."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.html import escape

from datasets_app.corpus.layouts.prompts import END_OF_TEXT as END
from datasets_app.jobs import freezing, scoring
from datasets_app.models import Conversation as Row
from datasets_app.models import Judge, KnownTokenizer, Provider, ScoreLabel, Version
from datasets_app.models import Scoring as Order
from datasets_app.services.datasets import create_dataset
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair
from tests.datasets_app.provider_server import provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
PASSAGE = (
    "Room {n} opens at {n}:30 on workdays. It seats {n}0 people, and Anna Berg looks after it."
)
ROOMS = 15


@pytest.fixture
def dataset(cora):
    made = create_dataset("Rooms", by=cora)
    told = []
    for n in range(11, 11 + ROOMS):
        told += [
            pair(f"When does room {n} open?", f"Room {n} opens at {n}:30 on workdays."),
            pair(f"How many people does room {n} seat?", f"Room {n} seats 7 people."),
        ]
    add(made, told)
    for row in Row.objects.filter(dataset=made):
        number = 11 + (row.position - 1) // 2
        row.meta = {"source_text": PASSAGE.format(n=number), "source_file": f"room{number}.md"}
        row.save(update_fields=["meta"])
    return made


@pytest.fixture
def curator(client_of, cora):
    return client_of(cora)


def ordered(curator, dataset, **more):
    told = {"judge": "offline", "passing": "8", "failing": "7", **more}
    return curator.post(reverse("score-list", args=[dataset.pk]), told)


@pytest.fixture
def scored(curator, dataset):
    assert ordered(curator, dataset).status_code == 302
    order = Order.objects.get()
    scoring.score_pairs(order.pk)
    order.refresh_from_db()
    assert order.state == State.SUCCEEDED
    return order


def shown(curator, name, *args, query=""):
    answer = curator.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.checklist(305, 308, 310, 314, 315, 318, 319)
def test_pairs_are_scored_and_the_page_says_how(curator, dataset):
    house = Provider.objects.create(
        name="House", kind="openai", base_url="https://e.org", model="m"
    )
    before = shown(curator, "score-list", dataset.pk)
    assert "House: what is judged is sent there" in before
    assert ordered(curator, dataset, judge=str(house.pk)).status_code == 302
    asked = Order.objects.get()
    assert (asked.judge, asked.judge_name) == (Judge.PROVIDER, "House:m")
    asked.delete()
    assert "Not scored yet" in before
    assert "built-in judge" in before
    ordered(curator, dataset, passing="9.5", failing="3")
    order = Order.objects.get()
    empty = shown(curator, "score-detail", order.pk)
    assert "PASS</strong> 0 (0.0 %)" in empty  # nothing is scored yet, and nothing breaks
    scoring.score_pairs(order.pk)
    page = shown(curator, "score-detail", order.pk)
    assert f"PASS</strong> {ROOMS} (50.0 %)" in page
    assert "FAIL</strong> 0 (0.0 %)" in page  # 3 is the cut: nothing lies below
    curator.post(
        reverse("score-detail", args=[order.pk]), {"do": "cuts", "passing": "8", "failing": "7"}
    )
    page = shown(curator, "score-detail", order.pk)
    assert f"FAIL</strong> {ROOMS} (50.0 %)" in page
    assert f"{ROOMS} (50.0 %)</td>" in page  # a bucket of the histogram
    last = shown(curator, "score-detail", order.pk, query="?bucket=9")
    assert "Accuracy <strong>10.0</strong>" in last
    assert "The answer stands in the source word for word." in last
    assert Row.objects.filter(dataset=dataset).count() == 2 * ROOMS


def test_cuts_that_cross_are_refused(curator, dataset, scored):
    assert ordered(curator, dataset, passing="6", failing="7").status_code == 422
    assert ordered(curator, dataset, passing="x").status_code == 422
    address = reverse("score-detail", args=[scored.pk])
    answer = curator.post(address, {"do": "cuts", "passing": "5", "failing": "9"})
    assert answer.status_code == 422
    assert b"may not lie below" in answer.content


@pytest.mark.checklist(309, 313)
def test_the_form_names_the_model_and_scores_are_seen_pair_by_pair(curator, dataset, settings):
    settings.OTTO_PROVIDER_HOSTS = ["127.0.0.1"]
    judged = '{"accuracy": 9, "completeness": 8, "consistency": 9, "issues": ["thin"]}'
    with provider(judged, (429, {"retry-after": "7"}, "Slow down.")) as (url, script):
        about = {"kind": "openai", "base_url": url, "model": "usual", "per_minute": 60_000}
        house = Provider.objects.create(name="House", **about)
        assert 'name="model"' in shown(curator, "score-list", dataset.pk)
        ordered(curator, dataset, judge=str(house.pk), model="wished")
        order = Order.objects.get()
        scoring.score_pairs(order.pk)
    assert order.judge_name == "House:wished"
    assert script.asked[0]["body"]["model"] == "wished"
    page = shown(curator, "score-detail", order.pk)  # one is judged, and the rest waits
    assert f"1 of {2 * ROOMS} pairs looked at" in page
    assert 'hx-trigger="every 2s"' in page
    assert "8.70" in page
    assert "thin" in page


@pytest.mark.checklist(317)
def test_issues_come_with_what_to_do_the_worst_first(curator, scored):
    page = shown(curator, "score-detail", scored.pk, query="?which=issues")
    assert f"({ROOMS} high" in page
    assert "high priority" in page
    assert "is not in the source" in page
    assert "Check the number in the source." in page


def test_what_has_no_score_is_listed_with_a_way_to_try_again(curator, dataset):
    Row.objects.filter(dataset=dataset).update(meta={})
    ordered(curator, dataset)
    order = Order.objects.get()
    scoring.score_pairs(order.pk)
    page = shown(curator, "score-detail", order.pk, query="?which=unscored")
    assert f"{2 * ROOMS} unscored, in no average" in page
    assert "There is no passage" in page
    curator.post(reverse("score-detail", args=[order.pk]), {"do": "again"})
    assert Order.objects.get().state == State.QUEUED


@pytest.mark.parametrize("deed", ["again", "go-on"])
def test_scores_that_were_brought_stay_and_say_why_they_are_not_given_again(curator, scored, deed):
    Order.objects.update(judge=Judge.IMPORTED)
    Row.objects.update(revision=2)
    before = list(scored.scores.order_by("pk").values())
    address = reverse("score-detail", args=[scored.pk])
    said = curator.post(address, {"do": deed}, follow=True).content.decode()
    assert "These scores were brought." in said
    assert 'value="again"' not in said
    assert list(scored.scores.order_by("pk").values()) == before
    assert Order.objects.get().state == State.SUCCEEDED


@pytest.mark.checklist(306, 318)
def test_the_report_is_downloaded_and_brought_back(curator, scored, cora):
    answer = curator.get(reverse("score-report", args=[scored.pk]))
    assert "Rooms_validation.json" in answer["Content-Disposition"]
    report = json.loads(b"".join(answer.streaming_content))
    assert report["summary_statistics"]["total_qa_pairs"] == 2 * ROOMS
    shares = report["summary_statistics"]["score_distribution"]
    assert list(shares) == [f"{low}-{low + 1}" for low in range(10)]
    assert shares["9-10"] == {"count": ROOMS, "percentage": 50.0}  # with 10.0 itself
    assert scored.scores.filter(overall=10).exists()
    assert report["summary_statistics"]["score_ranges"]["9-10"] == ROOMS
    first = report["validation_results"][0]
    assert first["source_file"] == "room11.md"
    first["validation_score"]["validation_status"] = "FAIL"
    first["validation_score"]["issues_found"] = ["od\0d", "\ud800"]  # JSON may, a database not
    first["source_text"] = first["chunk_id"] = "a\0\ud800"
    other = create_dataset("Elsewhere", by=cora)
    sent = io.BytesIO(json.dumps(report).encode())
    sent.name = "rooms_validation.json"
    answer = curator.post(reverse("score-list", args=[other.pk]), {"report": sent}, follow=True)
    assert b"30 pairs were read. 1 had a status" in answer.content
    brought = Order.objects.get(dataset=other)
    assert brought.judge == Judge.IMPORTED
    assert brought.scores.order_by("conversation").first().issues == ["odd", "\ufffd"]
    assert Row.objects.filter(dataset=other).count() == 2 * ROOMS
    same = scored.scores.order_by("conversation").values_list("overall", flat=True)
    assert list(brought.scores.order_by("conversation").values_list("overall", flat=True)) == [
        *same
    ]


ENDLESS = b'{"metadata": {"filter_threshold": %b}, "filtered_pairs": []}'


@pytest.mark.parametrize(
    "body",
    [b"no json", b"{}", b"[]", b"[" * 4_000, ENDLESS % b"NaN", ENDLESS % b"-Infinity"],
)
def test_what_is_no_report_is_refused_in_a_sentence(curator, dataset, body):
    sent = io.BytesIO(body)
    sent.name = "x.json"
    answer = curator.post(reverse("score-list", args=[dataset.pk]), {"report": sent})
    assert answer.status_code == 422


def test_a_person_labels_blind_and_sees_what_came_of_it(curator, scored):
    address = reverse("score-calibrate", args=[scored.pk])
    assert "No pairs are drawn yet" in shown(curator, "score-calibrate", scored.pk)
    answer = curator.post(reverse("score-detail", args=[scored.pk]), {"do": "draw"})
    assert answer["Location"] == address
    page = shown(curator, "score-calibrate", scored.pk)
    assert "Overall" not in page
    assert "PASS" not in page
    assert "Anna Berg" in page  # the text that it came from
    assert curator.post(address, {"place": 1, "label": "eleven"}).status_code == 422
    assert curator.post(address, {"place": 1, "label": "11"}).status_code == 422
    for label in ScoreLabel.objects.all():
        overall = scored.scores.get(conversation=label.conversation_id).overall
        curator.post(address, {"place": label.place, "label": "9" if overall >= 8 else "2"})
    page = shown(curator, "score-calibrate", scored.pk)
    assert "Weighted kappa <strong>0." in page
    assert "may exclude what fails" in page
    curator.post(reverse("score-detail", args=[scored.pk]), {"do": "exclude"})
    assert Row.objects.filter(decision="exclude").count() == ROOMS


def test_a_judge_without_labels_excludes_nothing(curator, scored):
    answer = curator.post(reverse("score-detail", args=[scored.pk]), {"do": "exclude"}, follow=True)
    assert b"not calibrated" in answer.content
    assert not Row.objects.filter(decision="exclude").exists()


@pytest.mark.checklist(307, 321, 326, 327)
def test_the_threshold_says_what_it_keeps_and_drops(curator, scored):
    page = shown(curator, "score-format", scored.pk)
    assert f"{ROOMS} of {2 * ROOMS} kept" in page
    assert 'type="range"' in page
    live = shown(curator, "score-kept", scored.pk, query="?threshold=0.00")
    assert f"{2 * ROOMS} of {2 * ROOMS} kept" in live
    assert "Nothing is dropped." in live
    live = shown(curator, "score-kept", scored.pk, query="?threshold=10.00")
    exact = scored.scores.filter(overall=10).count()
    assert f"{exact} of {2 * ROOMS} kept" in live  # inclusive
    assert f"Dropped: {2 * ROOMS - exact}" in live
    dropped = scored.scores.filter(overall__lt=10).order_by("-overall").first()
    assert f"{dropped.overall}</td>" in live
    odd = shown(curator, "score-kept", scored.pk, query="?threshold=11")
    assert 'class="error"' in odd


@pytest.mark.checklist(322, 328)
def test_several_versions_and_files_come_of_one_scoring(curator, scored):
    address = reverse("score-format", args=[scored.pk])
    told = {"choice": "kept", "template": "alpaca", "system": "", "name": ""}
    for threshold in ("0.00", "8.00"):
        assert curator.post(address, {**told, "threshold": threshold}).status_code == 302
    counts = []
    for version in Version.objects.order_by("number"):
        freezing.freeze(version.pk)
        version.refresh_from_db()
        assert version.state == State.SUCCEEDED, version.message
        counts.append(version.counts["rows"])
    assert counts == [2 * ROOMS, ROOMS]
    assert set(scored.scores.values_list("attempts", flat=True)) == {1}
    files = reverse("score-download", args=[scored.pk, "lines"])
    answer = curator.get(f"{files}?threshold=8.00&template=alpaca")
    assert "training_data_final.jsonl" in answer["Content-Disposition"]
    lines = [json.loads(one) for one in b"".join(answer.streaming_content).splitlines()]
    assert len(lines) == ROOMS
    assert list(lines[0]) == ["text", "question", "answer", "source_file", "validation_score"]
    assert lines[0]["source_file"] == "room11.md"
    assert lines[0]["validation_score"] >= 8
    for layout, key in (("list", None), ("filtered", "filtered_pairs")):
        there = reverse("score-download", args=[scored.pk, layout])
        value = json.loads(b"".join(curator.get(f"{there}?threshold=0.00").streaming_content))
        assert len(value[key] if key else value) == 2 * ROOMS
    assert curator.get(reverse("score-download", args=[scored.pk, "other"])).status_code == 404


@pytest.mark.checklist(153, 323, 324, 325, 333)
@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("alpaca", "### Instruction:\nBe brief.\n\nWhen does room 11 open?\n\n### Response:\nRoom"),
        ("chatml", "&lt;|im_start|&gt;system\nBe brief.&lt;|im_end|&gt;"),
        ("qwen", "&lt;|im_start|&gt;user\nWhen does room 11 open?&lt;|im_end|&gt;"),
        ("llama", "&lt;|start_header_id|&gt;assistant&lt;|end_header_id|&gt;\n\nRoom 11"),
        ("gemma", "&lt;start_of_turn&gt;user\nBe brief.\n\nWhen does room 11 open?"),
        ("mistral", "[INST] Be brief.\n\nWhen does room 11 open? [/INST] Room 11"),
        ("user-assistant", "User: When does room 11 open?\nAssistant: Room 11"),
        ("plain", "Be brief.\n\nWhen does room 11 open?\n\nRoom 11"),
    ],
)
def test_each_template_is_shown_exactly_with_its_end(curator, scored, template, text):
    query = f"?threshold=8.00&template={template}&system=Be+brief."
    live = shown(curator, "score-kept", scored.pk, query=query)
    assert text in live
    assert "which it learns to write" in live
    odd = shown(curator, "score-kept", scored.pk, query="?threshold=8&system=I+am+%3C%7Cend%7C%3E")
    assert "opens with" in odd
    assert "control token" in odd


def test_only_curators_see_scores(client_of, mia, scored, client):
    for name in ("score-detail", "score-format", "score-calibrate", "score-report"):
        assert client_of(mia).get(reverse(name, args=[scored.pk])).status_code == 403
        assert client.get(reverse(name, args=[scored.pk])).status_code == 302
    deleted = reverse("score-detail", args=["00000000-0000-0000-0000-000000000000"])
    assert client_of(mia).get(deleted).status_code == 403


@pytest.mark.checklist(332)
def test_training_texts_are_shown_with_their_tokens_and_what_a_limit_cuts(
    curator, scored, tmp_path, capsys, data_dir
):
    """On the page, and by a command for a file of the earlier pipeline."""
    letters = {chr(code): code - 32 for code in range(32, 127)} | {"\n": 95}
    model = {"type": "BPE", "vocab": letters, "merges": []}
    known = KnownTokenizer.objects.create(name="By letters", path="letters")
    known.file.parent.mkdir(parents=True)
    known.file.write_text(json.dumps({"version": "1.0", "added_tokens": [], "model": model}))
    exact = f"User: When does room 11 open?\nAssistant: Room 11 opens at 11:30 on workdays.{END}"
    query = f"?threshold=8&template=user-assistant&tokenizer={known.pk}&length="
    for limit, cut in ((len(exact) - 1, ROOMS), (len(exact), 0)):
        live = " ".join(shown(curator, "score-kept", scored.pk, query=f"{query}{limit}").split())
        assert escape(exact.replace("\n", " ")) in live
        assert f"{len(exact)} tokens a text, the longest {len(exact)}" in live
        assert f"{cut} of {ROOMS}</strong> are longer than {limit}" in live
    about = shown(curator, "score-kept", scored.pk, query="?threshold=8&length=512")
    assert "About" in about
    report = b"".join(curator.get(reverse("score-report", args=[scored.pk])).streaming_content)
    file, out = tmp_path / "rooms_validation.json", tmp_path / "texts.jsonl"
    file.write_bytes(report)
    told = {"input": str(file), "template": "user-assistant", "tokenizer": known.file}
    call_command("qa_train", **told, max_length=len(exact) - 1, verbose=True, output=str(out))
    said = capsys.readouterr().out
    assert f"--- {len(exact):,} tokens\n{exact}\n" in said
    assert f"are longer than {len(exact) - 1}." in said
    assert said.count("--- ") == 2 * ROOMS  # every text, and with the pairs that fail
    assert json.loads(out.read_text().splitlines()[0]) == exact
    call_command("qa_train", **told, json=True)
    assert json.loads(capsys.readouterr().out)["cut"] == 0
    with pytest.raises(CommandError, match="There is no file"):
        call_command("qa_train", **{**told, "tokenizer": tmp_path / "gone"})
