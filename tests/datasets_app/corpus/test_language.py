"""In which language a conversation is held."""

from __future__ import annotations

import pytest

from datasets_app.corpus.language import NAMES, SCRIPTS, language_of_talk
from datasets_app.corpus.rules.small_words import STOP_WORDS
from tests.datasets_app.makers import pair


@pytest.mark.parametrize(
    ("question", "answer", "language"),
    [
        ("Where is my parcel?", "It is on its way to you.", "en"),
        ("Wo ist mein Paket?", "Es ist auf dem Weg zu Ihnen.", "de"),
        ("Où est mon colis ?", "Il est en route vers vous.", "fr"),
        ("我的包裹在哪里？", "正在路上。", "zh"),
        ("荷物はどこですか。", "配送中です。", "ja"),
        ("택배가 어디 있나요?", "배송 중입니다.", "ko"),
        ("Где моя посылка?", "Она уже в пути.", "ru"),
        ("Де моя посилка?", "Вона вже їде, її везуть і скоро привезуть.", "uk"),
        ("أين طردي؟", "إنه في الطريق إليك.", "ar"),
        ("What does 你好 mean in the language of the Chinese?", "It is a greeting to you.", "en"),
        ("4711", "0815", ""),
    ],
)
def test_the_script_or_the_small_words_tell_the_language(question, answer, language):
    assert language_of_talk(pair(question, answer)) == language


def test_every_language_that_can_be_told_has_a_name():
    assert {code for code, _ in SCRIPTS} | set(STOP_WORDS) == set(NAMES)
