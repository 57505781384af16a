"""The index of words finds what vectors cannot: numbers, codes, names, any script."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_app.knowledge.words import IndexWriter, Words, inner_terms_of, terms_of


def index(folder, *texts):
    folder.mkdir(exist_ok=True)
    writer = IndexWriter(folder)
    for place, text in enumerate(texts):
        writer.add(place, [(text, 1.0)])
    writer.finish()
    return Words.open(folder, len(texts))


SHELF = (
    *("Order JP-512 left on Monday.", "Order JP-513 is packed.", "The voucher PINE10 is valid."),
    *("Zelte sind leicht und wasserdicht.", "텐트는 가볍고 방수입니다", "帐篷很轻而且防水"),
    *("الخيمة خفيفة ومقاومة للماء", "Палатка лёгкая и непромокаемая", "तंबू हल्का और जलरोधक है"),
    *("The bag weighs 2.4 kg and costs $289.", "เต็นท์มีน้ำหนักเบา", "Café opens at 9 am."),
)


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("where is jp-512", 0), ("JP 513?", 1), ("my code pine10 fails", 2),
        ("Ist das Zelt leicht?", 3),
        ("방수 텐트 있나요", 4), ("防水的帐篷", 5), ("هل الخيمة خفيفة؟", 6), ("лёгкие палатки", 7),
        ("हल्का तंबू", 8), ("does it weigh 2.4", 9), ("what costs 289", 9), ("น้ำหนัก", 10),
        ("CAFE", 11), ("\x00where\x01 is \uff2a\uff30-\uff15\uff11\uff12", 0),
        ("jp-512 " + "a long question " * 300, 0),
    ],
)  # fmt: skip
def test_a_word_finds_its_text(tmp_path, question, place):
    shares = index(tmp_path, *SHELF).shares(question)
    assert shares.argmax() == place
    assert 0 < shares.max() <= 1


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Was sind die Kosten?", "Die Versandkosten betragen 4 Euro."),
        ("Wie hoch sind die Versandkosten?", "Die Kosten betragen 4 Euro."),
        ("ارجاع", "إِرْجَاعُ المنتجات مجاني"), ("طلب", "أين الطلب؟"), ("الطلب", "طلب جديد"),
        ("مكتبه", "المكتبة مفتوحة"), ("وبالطريق", "الطريق طويل"), ("鞋", "这双鞋子很轻"),
    ],
)  # fmt: skip
def test_a_word_finds_what_it_stands_in_and_other_spellings(tmp_path, question, text):
    shares = index(tmp_path, "The tent.", text, "Der Preis ist fest.").shares(question)
    assert shares.argmax() == 1
    assert 0 < shares[1] <= 1
    assert not shares[0]


def test_a_whole_word_counts_more_than_one_inside_of_another(tmp_path):
    shares = index(tmp_path, "Die Versandkosten.", "Die Kosten.", *["Anderes"] * 9).shares("Kosten")
    assert shares[1] > shares[0] > 0


def test_a_word_without_end_is_no_compound(tmp_path):
    assert list(inner_terms_of("versandkosten" * 400)) == []
    assert len(list(inner_terms_of("versandkosten"))) == 5


def test_what_says_nothing_finds_nothing(tmp_path):
    words = index(tmp_path, *SHELF)
    for question in ("", "  ", "\x00\x07", "?!…", "🙂", "xylophone"):
        assert not words.shares(question).any()


def test_rare_words_count_more_than_common_ones(tmp_path):
    words = index(tmp_path, "the tent", "the zephyr", *["the tent is the tent"] * 8)
    assert words.shares("the tent zephyr").argmax() == 1


def test_an_index_of_nothing_can_be_asked(tmp_path):
    assert index(tmp_path).shares("where").shape == (0,)


def test_equal_texts_give_equal_files_and_no_bucket_stays(tmp_path):
    for name in ("a", "b"):
        index(tmp_path / name, *SHELF * 50)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["impacts.f16", "postings.u32", "starts.u64", "terms.u64"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_each_term_has_its_pieces_in_order(tmp_path):
    words = index(tmp_path, *(f"number {n} of all" for n in range(3_000)))
    shares = words.shares("number")
    assert np.isclose(shares, shares[0]).all()
    assert words.shares("2999").argmax() == 2_999


def test_codes_stay_whole_and_words_lose_their_ending():
    assert list(terms_of("Parcels: JP-512, boxes")) == [
        *("parcel", "parce*", "jp-512", "jp", "512", "box"),
    ]
