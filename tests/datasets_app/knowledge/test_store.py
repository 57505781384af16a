"""A folder of knowledge is written in steps, goes on after any end, and is the same each time."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil

import pytest

from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.errors import KnowledgeError
from datasets_app.knowledge.find import Knowledge
from datasets_app.knowledge.store import Writer, take_over
from tests.datasets_app.knowledge.toys import rows, talk, toy_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return Encoder.open(toy_encoder(tmp_path_factory.mktemp("encoders") / "toy"))


def shop(count=40):
    return [
        talk(
            *(f"Where is my order JP-{n}?", f"Order JP-{n} is packed."),
            *("And when?", f"On day {n}."),
        )
        for n in range(count)
    ]


def write(folder, conversations, encoder=None, *, step=7, **wanted):
    writer = Writer(folder, encoder=encoder, **wanted)
    left = [row for row in rows(*conversations) if row.position > writer.position]
    for start in range(0, len(left), step):
        writer.add(left[start : start + step])
    writer.finish()
    return writer


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_equal_rows_give_equal_folders(tmp_path, encoder):
    write(tmp_path / "a", shop(), encoder)
    write(tmp_path / "b", shop(), encoder)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert {"knowledge.json", "pieces.jsonl", "vectors.i8", "terms.u64"} <= contents(
        tmp_path / "a"
    ).keys()


class Killed(Exception):  # noqa: N818
    pass


def stop_at(times):
    """Return what raises when it is called for the nth time."""
    left = iter(range(times))

    def still():
        if next(left, None) is None:
            raise Killed

    return still


@pytest.mark.slow
@pytest.mark.parametrize(("times", "left"), [(0, 81), (1, 66), (3, 38), (5, 10), (6, 0)])
def test_one_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, encoder, times, left):
    write(tmp_path / "whole", shop(), encoder)
    with pytest.raises(Killed):
        write(tmp_path / "half", shop(), encoder, still=stop_at(times))
    for path in (tmp_path / "half").glob("*.[uif]*"):
        with path.open("ab") as file:  # what was on its way when the process died
            file.write(b"half a step")
    (tmp_path / "half/bucket-00").write_bytes(b"rest")
    again = write(tmp_path / "half", shop(), encoder)
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")
    assert again.embedded == left


def test_a_full_disk_is_an_error_and_later_it_goes_on(tmp_path, encoder):
    write(tmp_path / "whole", shop(), encoder)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, most[1]))
    try:
        with pytest.raises(OSError, match=r".") as caught:
            write(tmp_path / "half", shop(), encoder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert caught.value.errno == errno.EFBIG
    assert Writer(tmp_path / "half", encoder=encoder).position > 0
    write(tmp_path / "half", shop(), encoder)
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


def test_another_attempt_takes_over_what_was_durable(tmp_path, encoder):
    write(tmp_path / "whole", shop(), encoder)
    first = Writer(tmp_path / "f1", encoder=encoder)
    first.add(rows(*shop())[:14])
    take_over(tmp_path / "f1", tmp_path / "f2")
    first.add(rows(*shop())[14:21])  # it was thought dead, and writes on
    second = Writer(tmp_path / "f2", encoder=encoder)
    assert second.position == 14
    assert second.embedded == 0
    write(tmp_path / "f2", shop(), encoder)
    assert contents(tmp_path / "f2") == contents(tmp_path / "whole")
    take_over(tmp_path / "nothing", tmp_path / "f3")
    assert not (tmp_path / "f3").exists()


@pytest.mark.parametrize("name", ["pieces.jsonl", "owners.u32"])
def test_a_folder_that_lost_something_is_begun_anew(tmp_path, encoder, name):
    write(tmp_path / "whole", shop(), encoder)
    Writer(tmp_path / "half", encoder=encoder).add(rows(*shop())[:14])
    os.truncate(tmp_path / "half" / name, 5)
    take_over(tmp_path / "half", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert Writer(tmp_path / "half", encoder=encoder).position == 0
    write(tmp_path / "half", shop(), encoder)
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


def test_one_that_began_anew_and_was_killed_is_not_taken_for_what_was_before(tmp_path, encoder):
    write(tmp_path / "whole", shop(), encoder)
    Writer(tmp_path / "half", encoder=encoder).add(rows(*shop())[:14])
    Writer(tmp_path / "half", encoder=None)  # could not load it, and died before its first step
    assert Writer(tmp_path / "half", encoder=encoder).position == 0
    write(tmp_path / "half", shop(), encoder)
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


def test_what_a_killed_writer_left_of_its_manifest_is_no_part_of_it(tmp_path):
    write(tmp_path / "whole", shop())
    writer = Writer(tmp_path / "half", encoder=None)
    writer.add(rows(*shop()))
    for name in ("knowledge.json.new", "progress.json.new"):
        (tmp_path / "half" / name).write_text('{"half')
    writer.finish()
    assert Knowledge.open(tmp_path / "half").pieces == 80
    assert contents(tmp_path / "half").keys() == contents(tmp_path / "whole").keys()


def test_what_is_open_can_be_asked_after_its_folder_went(tmp_path, encoder):
    write(tmp_path / "k", shop(), encoder)
    knowledge = Knowledge.open(tmp_path / "k")
    shutil.rmtree(tmp_path / "k")
    question = "Where is my order JP-7?"
    (found,) = knowledge.find(question, vector=encoder.encode([question])[0], most=1)
    assert found.piece.answer == "Order JP-7 is packed."


def test_with_another_encoder_it_begins_anew(tmp_path, encoder):
    Writer(tmp_path / "k", encoder=encoder).add(rows(*shop()))
    other = Encoder.open(toy_encoder(tmp_path / "other", words="where order other"))
    assert Writer(tmp_path / "k", encoder=other).position == 0
    Writer(tmp_path / "k", encoder=other).add(rows(*shop()))
    assert Writer(tmp_path / "k", encoder=None).position == 0


@pytest.mark.slow
def test_an_edited_row_costs_one_text(tmp_path, encoder):
    first = write(tmp_path / "v1", shop(), encoder)
    assert first.embedded == 40 + 1 + 40  # its own words, “And when?”, and that in each talk
    edited = shop()
    edited[7] = talk("Where is my parcel?", "Order JP-7 is packed.", "And when?", "On Friday.")
    second = write(tmp_path / "v2", edited, encoder, earlier=tmp_path / "v1")
    assert second.embedded == 1
    assert Knowledge.open(tmp_path / "v2").piece(14).question == "Where is my parcel?"
    same = write(tmp_path / "v3", shop(), encoder, earlier=tmp_path / "v1")
    assert same.embedded == 0
    assert contents(tmp_path / "v3") == contents(tmp_path / "v1")


@pytest.mark.slow
def test_vectors_of_another_encoder_are_not_copied(tmp_path, encoder):
    write(tmp_path / "v1", shop(), encoder)
    other = Encoder.open(toy_encoder(tmp_path / "other", words="where order other"))
    assert write(tmp_path / "v2", shop(), other, earlier=tmp_path / "v1").embedded == 81
    assert write(tmp_path / "v3", shop(), other, earlier=tmp_path / "gone").embedded == 81


@pytest.mark.slow
def test_copies_are_kept_once_and_counted(tmp_path):
    many = [talk("Where are you?", "In Elmbridge.")] * 394
    write(tmp_path / "k", [*many, *shop(235)], step=100)
    manifest = json.loads((tmp_path / "k/knowledge.json").read_text())
    assert (manifest["rows"], manifest["copies"]) == (629, 393)
    assert manifest["pieces"] == 1 + 235 * 2


def test_words_alone_need_no_encoder(tmp_path):
    write(tmp_path / "k", ["The tent weighs 2.4 kg.", "The boots weigh 900 g."])
    knowledge = Knowledge.open(tmp_path / "k")
    assert (knowledge.dims, knowledge.encoder_sha256) == (0, "")
    (found,) = knowledge.find("how heavy is the tent: 2.4?", most=1)
    assert found.piece.answer == "The tent weighs 2.4 kg."
    assert found.cosine is None


def test_knowledge_of_nothing_finds_nothing(tmp_path, encoder):
    write(tmp_path / "k", [talk("Anybody?")], encoder)
    assert Knowledge.open(tmp_path / "k").find("Anybody?", vector=encoder.encode(["x"])[0]) == []


def test_a_damaged_folder_is_refused_in_a_sentence(tmp_path):
    write(tmp_path / "k", shop())
    (tmp_path / "k/ends.u64").write_bytes(b"")
    with pytest.raises(KnowledgeError, match=r"damaged: ends\.u64\. Build it again"):
        Knowledge.open(tmp_path / "k")
    with pytest.raises(KnowledgeError, match="no knowledge in gone"):
        Knowledge.open(tmp_path / "gone")


def test_what_cannot_be_said_in_unicode_is_kept_readable(tmp_path, encoder):
    write(tmp_path / "k", [talk("Where\ud800 is \x00 my order?", "Here\udfff.")], encoder)
    assert Knowledge.open(tmp_path / "k").piece(0).answer == "Here?."
