from __future__ import annotations

import pytest

from datasets_app.corpus.detection.encoding import Encoding, clean_name, clean_text
from datasets_app.corpus.parsing.view import TranscodedFile
from datasets_app.corpus.source import Guess, WaitingError

GERMAN = "Die Straße über die Brücke führt zu schönen Häusern; für Gäste gibt es Käse.\n" * 4
RUSSIAN = "Быстрая коричневая лиса прыгает через ленивую собаку и бежит домой.\n" * 4


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"), (GERMAN, "utf-16")],
)
def test_older_encodings_are_read_as_their_text(load, text, encoding):
    (talk,) = load(text.encode(encoding), "a.txt").talks
    assert talk == [("text", text.removesuffix("\n"))]


@pytest.mark.parametrize("text", ["héllo world", "▶hello"])
def test_short_utf8_stays_utf8(load, text):
    assert load(text, "a.txt").talks == [[("text", text)]]


def test_a_text_of_one_word_waits_with_guesses(load):
    data = "Käse".encode("cp1252")
    with pytest.raises(WaitingError) as waiting:
        load(data, "a.txt")
    guesses = waiting.value.waiting.guesses
    assert Guess("cp1252", ("Käse",), ("Käse",)) in guesses
    assert len({guess.words for guess in guesses}) == len(guesses) > 2
    assert load(data, "a.txt", encoding="cp1252").talks == [[("text", "Käse")]]


def test_who_reads_is_told_which_words_decided(load):
    lines = ["Hello", "Nothing here", "Wir heißen Müller", "und grüßen schön aus Köln"]
    (remark,) = load("\n".join(lines).encode("cp1252"), "a.txt").problems
    assert (remark.code, remark.line) == ("guessed_encoding", 3)
    assert "cp1252" in remark.message
    assert "heißen · Müller · grüßen · schön · Köln" in remark.message


@pytest.mark.slow
def test_bytes_that_come_late_are_looked_at_too(load):
    lines = ["Gr\xfc\xdfe aus K\xf6ln und sch\xf6ne Tage"] * 9_000 + ["das kostet 5 \x80"]
    reading = load("\n".join(lines).encode("latin-1"), "a.txt")
    assert reading.talks[-1][-1][1].endswith("das kostet 5 €")


def test_what_is_no_language_is_asked_for(load):
    data = "Wir grüßen alle, die das auf einem Großrechner lesen.".encode("cp500")
    with pytest.raises(WaitingError):
        load(data, "a.txt")


def test_a_text_may_name_its_encoding(load):
    page = "# -*- coding: {} -*-\nà"
    for name in ("windows-1252", "ISO-8859-1", "cp850"):
        reading = load(page.format(name).encode(name), "a.txt")
        assert reading.talks[0][0][1].endswith("\nà")
    with pytest.raises(WaitingError):
        load(page.format("none").encode("cp1252"), "a.txt")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["iso2022_jp", "hz", "utf-16-be"])
def test_encodings_without_a_mark_are_read_across_blocks(load, encoding):
    line = {"hz": "付款以后还可以修改收货地址吗"}.get(
        encoding, "支払いの後でも住所を変更できますか"
    )
    reading = load(f"{line}\n\n".encode(encoding) * 3_000, "a.txt")
    assert not reading.problems
    assert {text for talk in reading.talks for _, part in talk for text in part.split()} == {line}


def test_a_line_in_another_encoding_is_decoded_and_named(load):
    good = "Grüße an alle Gäste\n".encode()
    reading = load(good * 3 + "Käse für Gäste\n".encode("cp1252") + good, "a.txt")
    assert reading.talks[0][0][1].split("\n")[3] == "Käse für Gäste"
    assert reading.codes == ["other_encoding"]
    assert "Lines 4 " in reading.problems[0].message


def test_a_file_of_many_such_lines_keeps_no_place_that_was_asked_for(tmp_path):
    path = tmp_path / "a.txt"
    lines = ["Grüße an alle\n".encode(), "Käse für Gäste\n".encode("cp1252")] * 10_000
    path.write_bytes(b"".join(lines))
    stream = TranscodedFile(path, Encoding("utf-8", (), fallback="cp1252"))
    text, asked, place, most = b"", 0, 0, 0
    for line in lines:
        while len(text) < asked + len(line) + 9:
            if not (block := stream.read(1 << 10)):
                break
            text += block
        asked = text.index(b"\n", asked) + 1
        place += len(line)
        assert stream.place(asked) == place
        most = max(most, len(stream._pieces))
    stream.close()
    assert most < 5_000
    assert (stream.bad.lines, stream.bad.shown) == (10_000, list(range(2, 42, 2)))


def test_neighbours_in_utf8_are_one_piece(tmp_path):
    path = tmp_path / "a.txt"
    good = "Grüße an alle\n".encode() * 5_000
    path.write_bytes(good + "Käse\n".encode("cp1252") + good)
    stream = TranscodedFile(path, Encoding("utf-8", (), fallback="cp1252"))
    while stream.read(1 << 16):
        pass
    stream.close()
    assert len(stream._pieces) == 3


def test_bytes_that_fit_nothing_are_shown_and_counted(load):
    reading = load(b"abc \xff\xfe def " + b"x" * 80, "a.txt", encoding="utf-8")
    assert "\ufffd" in reading.talks[0][0][1]
    assert reading.codes == ["other_encoding", "bad_bytes"]


def test_text_is_cleaned_of_what_postgresql_refuses():
    cleaned = clean_text("a\0b\ud800c\u2028İ\ufb01")
    assert (cleaned.text, cleaned.nuls, cleaned.surrogates) == ("ab\ufffdc\u2028İ\ufb01", 1, 1)


def test_a_name_is_cut_at_a_whole_character():
    assert clean_name("é" * 600) == "é" * 512


@pytest.mark.parametrize(
    ("encoding", "columns", "words"),
    [
        ("cp1252", "pergunta;resposta", "Não recebi a confirmação da encomenda, o que faço"),
        ("cp850", "Frage;Antwort", "Kann ich die Größe ändern und zwölf Stück nach Österreich"),
        ("iso8859-2", "otázka;odpověď", "Dobrý den, kdy mi přijde zásilka? Už čekám týden, děkuji"),
        ("cp1251", "въпрос;отговор", "Добър ден, кога ще пристигне поръчката ми"),
    ],
)
def test_a_table_in_an_older_encoding_loads_without_a_question(load, encoding, columns, words):
    reading = load(f"{columns}\n{words}?;Sim {words}.\n".encode(encoding), "a.csv")
    assert reading.talks == [[("user", f"{words}?"), ("assistant", f"Sim {words}.")]]
    assert reading.codes == ["guessed_encoding"]
