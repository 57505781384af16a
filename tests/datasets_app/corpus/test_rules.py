from __future__ import annotations

import time
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.corpus import rules
from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard
from datasets_app.corpus.rules.registry import RULES

SIX_WORDS = "We sell good tents and boots."
STOP = "Please stop repeating yourself"


def talk(*texts: str) -> Conversation:
    roles = ("user", "assistant")
    return Conversation(tuple(Turn(roles[n % 2], text) for n, text in enumerate(texts)))


def open_findings(conversation: Conversation, policy=None) -> set[str]:
    judgement = judge(conversation, policy or standard())
    return {finding.rule for finding in judgement.findings if finding.severity in "ER"}


CLEAN = [
    ("What is the capital of France?", "The capital of France is Paris."),
    ("Are you open today?", "Yes."),
    ("How many seats do we have?", "42"),
    ("What is 2+2?", "4"),
    ("What is your number?", "+1 (555) 010-0199"),
    ("What does it cost?", "$1,299.00"),
    ("Which vegetable is good for the eyes?", "Carrots are rich in vitamin A"),
    ("Can you support us at the weekend?", "We will help you with whatever we can"),
    ("法国的首都是哪里？", "法国的首都是巴黎。"),
    ("请介绍一下你们的商店", "我们出售帐篷、背包和登山鞋，也提供维修服务。"),
    ("フランスの首都はどこですか", "フランスの首都はパリです"),
    ("お店について教えてください", "テントと靴を売っていて、修理もできます。"),
    ("Show me a 2 × 2 matrix in Python", "x = [[1, 0], [0, 1]]; print(x[0][1] + 2 ** 8)"),
]

MORE_CLEAN = [
    ("请问今天营业吗？", "是的。"),
    ("今日は開いていますか", "はい。"),
    ("ร้านเปิดกี่โมง", "เราเปิดตั้งแต่เก้าโมงเช้าถึงหกโมงเย็นทุกวัน"),
    ("आप कब खुलते हैं?", "हम हर दिन सुबह नौ बजे से शाम छह बजे तक खुले रहते हैं।"),
    ("Когда вы открыты?", "Мы открыты каждый день с девяти до шести часов."),
    ("متى تفتحون المتجر؟", "نفتح كل يوم من التاسعة صباحا حتى السادسة مساء."),
    ("언제 문을 여나요?", "매일 아침 아홉 시부터 저녁 여섯 시까지 열어요."),
    ("Wann haben Sie geöffnet?", "Wir haben täglich von neun bis achtzehn Uhr geöffnet."),
    ("Haben Sie heute offen?", "Ja."),
    ("Est-ce que vous livrez le samedi ?", "Oui, nous livrons aussi le samedi matin."),
    ("¿Está abierto hoy?", "Sí."),
    ("Tell me the name of the capital.", "Paris."),
    ("When did it happen?", "12 May 1998"),
    ("And the time", "10:30"),
    ("I want to pay the rest", "€49,90"),
    ("Where do I call", "0171 555 0123"),
    ("Which plan do you use?", "Premium"),
    ("Thank you so much", "You're welcome!"),
    ("How do I list files?", "```\nls -la /var/log\n```"),
    ("Make an identity matrix", "a = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]"),
    ("Sum them", "sum(x * y for x, y in zip(a, b))"),
    ("Where is the page", "https://www.example.com/a/very/long/path/to-the-page-that-you-need"),
    ("Who should I write to", "first.lastname@department.company-name.example.com"),
    ("Which are your hours", "Monday: 9-17\nTuesday: 9-17\nWednesday: 9-17\nThursday: 9-20"),
    ("What is the longest word", "Donaudampfschifffahrtsgesellschaft is a long one indeed."),
    ("Give me the dates", "2024-05-12, 2024-06-12, 2024-07-12 and 2024-08-12"),
    ("Where do I sign?", "Sign at the end of the page, then hand it to whoever you spoke with"),
    ("When do you open", "Our store opens every weekday morning at 9 am"),
    ("Is it safe?", "It is as safe as it could be 🙂"),
    ("Can I use it in the rain?", "Yes, you can use it in the rain."),
    ("I want to watch a movie.", "Which movie do you want to watch?"),
    ("Does the YIPPEE BAR have outdoor seating?.", "Yippee Bar does not have outdoor seating."),
    ("Welchen Beruf hat er?", "Wirtschaftswissenschaftler"),
    ("어디가 아파", "많이 아프겠어요."),
    ("Сколько стоит билет?", "четыре"),
    ("كم عدد المتاجر لديكم؟", "أربعة"),
    ("आपकी कितनी दुकानें हैं?", "14,000 से ज्यादा"),
    ("Say it in Polish", "Otwieramy codziennie rano i zamykamy wieczorem, zapraszamy serdecznie."),
    ("How do you say it in Vietnamese", "Cửa hàng mở cửa từ chín giờ sáng đến sáu giờ chiều."),
]


@pytest.mark.parametrize(("question", "answer"), CLEAN + MORE_CLEAN)
def test_a_right_answer_is_clean(question, answer):
    assert open_findings(talk(question, answer)) == set()


@pytest.mark.checklist(158, 159, 160, 161)
def test_the_labelled_right_answers_are_clean():
    assert [pair for pair in CLEAN if open_findings(talk(*pair))] == []


FLAGGED = [
    ("any", "", {"empty"}),
    ("any", "   ", {"empty"}),
    ("any", "\u200b", {"empty"}),
    ("any", "!@#", {"empty"}),
    ("Hello, I am new here", "yes i", {"too_short"}),
    ("Who are you?", f"{SIX_WORDS} " * 6 + "We", {"repetitive"}),
    (STOP, f"{STOP} " * 10, {"repetitive", "echo"}),
    ("ha", "http://", {"gibberish", "too_short"}),
    (
        "How do I reset the password of my work account?",
        "How do I reset the password of my",
        {"echo", "truncated"},
    ),
    ("any", "asdf qwer zxcv poiu", {"gibberish"}),
    ("Say something", "sdkfj weoiru xcvmn qpwoe zmxnc vjsdk qwpeo rituy bvnmx", {"gibberish"}),
    ("Say something", "#### $$$$ %%%% &&&& **** !!!! @@@@ ab", {"gibberish"}),
    ("Say something", "a" * 80, {"gibberish", "too_short"}),
    ("Say something nice", "The caf\ufffd and the r\ufffdsum\ufffd are here", {"gibberish"}),
    ("介绍一下你们的商店", "好吧", {"too_short"}),
    ("介绍一下你们的商店", "介绍一下你们的商店", {"echo"}),
    ("介绍一下", "我们卖帐篷我们卖帐篷我们卖帐篷我们卖帐篷", {"repetitive"}),
    ("Tell me how to wash the green tent", "Tell me how to wash the green tent please", {"echo"}),
    ("Write a poem", "one line here\nanother line\none line here\none line here", {"repetitive"}),
    ("Show the code", "Here it is:\n```python\nprint(1)", {"truncated"}),
    ("Tell me more", "You can choose the red one,", {"truncated"}),
    ("Erzähl mir mehr", "Wir verkaufen gute Zelte und viele Schuhe für die", {"truncated"}),
]


@pytest.mark.parametrize(("question", "answer", "expected"), FLAGGED)
def test_a_wrong_answer_gets_the_named_finding(question, answer, expected):
    assert open_findings(talk(question, answer)) >= expected


@pytest.mark.checklist(156)
@pytest.mark.parametrize("nothing", ["", "   ", "\u200b", "!@#", "\n\t", "\u2060\u200d"])
def test_an_answer_without_letter_or_digit_is_empty_and_nothing_else(nothing):
    judgement = judge(talk("any", nothing), standard())
    assert [finding.rule for finding in judgement.findings] == ["empty"]
    assert judgement.status == "excluded"


@pytest.mark.checklist(157)
def test_the_repeated_phrase_is_marked_in_the_stored_text():
    text = "İstanbul is far. Call us now, friend. CALL us now, friend. Call us now, friend."
    (finding,) = judge(talk("Tell me", text), standard()).findings
    assert [text[start:end] for start, end in finding.spans] == [
        "CALL us now, friend. Call us now, friend"
    ]
    lax = standard().changed("repetitive", thresholds={"repeated_trigrams": 0.9})
    assert judge(talk("Tell me", text), lax).status == "kept"


def test_long_passages_that_come_back_are_repetitive():
    filler = " ".join(f"word{n}" for n in range(40))
    phrase = "please note that our offer ends on friday evening"
    text = f"{phrase}. {filler[:120]}. {phrase}. {filler[120:]}. {phrase}."
    (finding,) = judge(talk("Tell me", text), standard()).findings
    assert finding.rule == "repetitive"
    assert [text[start:end] for start, end in finding.spans] == [phrase, phrase]


def test_a_phrase_used_twice_is_no_repetition():
    text = (
        "Thank you for your order, it is packed and leaves tomorrow. You get the number of the "
        "parcel by mail, and thank you for your order once more."
    )
    assert open_findings(talk("Where is it", text)) == set()


@pytest.mark.parametrize("answer", ["In the", "it depends", "Paris"])
def test_a_closed_question_turns_too_short_into_information(answer):
    (finding,) = judge(talk("Where? When is it?", answer), standard()).findings
    assert (finding.rule, finding.severity) == ("too_short", "I")


def test_an_echo_of_a_closed_question_only_informs():
    judgement = judge(talk("Is the big green tent waterproof?", "The big green tent"), standard())
    assert [(f.rule, f.severity) for f in judgement.findings] == [("echo", "I")]
    assert (judgement.status, judgement.quality) == ("kept", 97)


def test_every_answer_is_judged_with_the_question_before_it():
    conversation = talk("Hi, who are you?", "We are a shop.", "Tell me about tents", "it is")
    (finding,) = judge(conversation, standard()).findings
    assert (finding.turn, finding.rule) == (3, "too_short")


def statuses(*texts: str) -> tuple[str, list[tuple[int, str, str]]]:
    judgement = judge(talk(*texts), standard())
    return judgement.status, [(f.turn, f.rule, f.severity) for f in judgement.findings]


GOOD_TURNS = (
    "Is the sauna open?",
    "Until ten at night.",
    "Do I need a towel?",
    "You get one here.",
)


def test_one_odd_turn_leaves_the_dialogue_kept_or_in_review_and_keeps_its_finding():
    ask = "Please describe the pool."
    assert statuses(*GOOD_TURNS, ask, "it is") == ("kept", [(5, "too_short", "I")])
    assert statuses(*GOOD_TURNS, ask, ask) == ("kept", [(5, "echo", "I")])
    assert statuses(*GOOD_TURNS, ask, "asdf qwer zxcv") == ("review", [(5, "gibberish", "R")])
    assert statuses(*GOOD_TURNS, ask, "...") == ("review", [(5, "empty", "R")])
    assert statuses(ask, "it is", *GOOD_TURNS[:2], ask, "you can")[0] == "excluded"
    assert statuses(*GOOD_TURNS[:2], ask, "asdf qwer zxcv")[0] == "excluded"


def test_what_the_last_answer_stops_with_stays_grave():
    cut = "You find it behind the door, just follow the"
    assert statuses(*GOOD_TURNS, "Where is it?", cut)[0] == "review"
    assert statuses("Where is it?", cut, *GOOD_TURNS) == ("kept", [(1, "truncated", "I")])


def test_a_closing_word_of_the_user_excludes_nothing_and_stays_a_finding():
    assert statuses(*GOOD_TURNS, "Great, thanks, bye") == ("kept", [(4, "structure", "I")])


def test_a_turn_of_the_user_that_nobody_said_is_found_where_it_stands():
    picture = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAUA" * 500
    assert statuses(*GOOD_TURNS, picture, "A fine picture of a tree.") == (
        "excluded",
        [(4, "raw_data", "E")],
    )
    mail = "Received: from mx.example.com\nMessage-ID: <1@example.com>\n\nWhere is it?"
    assert statuses(mail, "It was sent this morning.")[1] == [(0, "raw_data", "E")]
    page = "<div><p>Hello</p><br><img src='a.png'></div>"
    assert statuses(page, "How can I help?") == ("review", [(0, "raw_data", "R")])
    assert statuses(f"What does this do? {page}", "It shows a picture.") == ("kept", [])


CONTEXT = "The shop at the old market square sells lamps. Mia Berg drew the blue one in 1987."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (f"{CONTEXT}\n\nDescribe where the shop stands.", "at the old market square"),
        (f"{CONTEXT}\n\nName the designer.", "Mia Berg"),
        (f"Name the designer.\n\n{CONTEXT}", "Mia Berg drew the blue one"),
        ("The rent includes heating.", "The rent does not include heating."),
        ("会议是星期二下午三点半开始。", "会议是星期二下午四点半开始。"),
        ("家賃に暖房は含まれますと書いてあります。", "家賃に暖房は含まれません。"),
        ("My flight is the one at 7.", "Your flight is the one at 19."),
        ("Which numbers?", ", ".join(f"\u0660\u0662-\u0665\u0665\u0660{n}" for n in "१२३४५")),
        (
            "What is the checksum?",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
        ("Show the settings", "host: db1\nuser: mia\nport: 5432"),
        ("Give me the header", "Content-Type: text/html\nX-Api-Key: 12345\nAccept: text/html"),
    ],
)
def test_what_looks_odd_but_is_right_is_clean(question, answer):
    assert open_findings(talk(question, answer)) == set()


def test_the_question_given_back_is_an_echo_also_below_a_text_and_as_a_polite_question():
    asked = "Why do frogs not need to drink water?"
    assert open_findings(talk(f"{CONTEXT}\n\n{asked}", asked)) == {"echo"}
    assert open_findings(
        talk("Can you explain how to clean the tent?", "How to clean the tent.")
    ) == {"echo"}


def test_words_read_in_the_wrong_encoding_are_gibberish():
    text = "Für die Rückgabe benötigen Sie natürlich die Quittung."
    broken = text.encode().decode("cp1252")
    (finding,) = judge(talk("Was brauche ich?", broken), standard()).findings
    assert (finding.rule, len(finding.spans)) == ("gibberish", 4)
    assert open_findings(talk("Was brauche ich?", text)) == set()
    assert open_findings(talk("Wie viel?", "50 Â°C, sagt die Anleitung des Ofens.")) == set()


def test_a_greeting_before_any_question_is_not_too_short():
    assert (
        open_findings(Conversation((Turn("assistant", "Hello!"), *talk("Hi", "Yes.").turns)))
        == set()
    )


def test_a_passage_may_be_cut_inside_code_and_quote_a_dialogue():
    assert open_findings(passage("Here is how it works:\n```python\nprint(1)\nprint(2)")) == set()
    assert open_findings(passage("It was so dark that we saw nothing of the")) == set()
    assert open_findings(passage("A line, and a line. " * 20)) == {"repetitive"}
    assert open_findings(passage("GREMIO:\nMy cake is dough.\n\nUser:\nWhat is it?")) == set()


def test_names_may_repeat_inside_code_but_not_lines():
    lines = ["for i in range(n):", "    for j in range(n):", "        x(i, j, range(n))"]
    code = "\n".join(["```", *lines, "```"])
    assert open_findings(talk("Show me a loop", f"Here it is:\n{code}")) == set()
    loop = "```\n" + "print('again and again')\n" * 6 + "```"
    assert open_findings(talk("Show me a loop", f"Here it is:\n{loop}")) == {"repetitive"}


def test_passages_skip_the_rules_that_need_a_question():
    assert judge(passage("Chapter one"), standard()).findings == ()
    assert open_findings(passage("asdf qwer zxcv poiu")) == {"gibberish"}


STRUCTURES = [
    (Conversation(()), "E"),
    (Conversation((Turn("user", "Hello there"),)), "E"),
    (
        Conversation((Turn("user", "Hi"), Turn("robot", "What can I do?"), *talk("a", "4").turns)),
        "E",
    ),
    (Conversation((Turn("user", " "), Turn("assistant", "What can I do?"))), "E"),
    (Conversation((Turn("user", "a"), Turn("user", "b"), Turn("assistant", "I see it."))), "R"),
    (talk("Hello there", "What can I do?", "Tell me more"), "I"),
    (Conversation((*talk("Hi", "One moment.").turns, Turn("assistant", "Yes, we do."))), "I"),
]


@pytest.mark.parametrize(("conversation", "severity"), STRUCTURES)
@pytest.mark.parametrize("wanted", ["E", "R", "I"])
def test_what_a_person_chose_for_the_structure_goes_and_mild_faults_never_exclude(
    conversation, severity, wanted
):
    policy = standard().changed("structure", severity=wanted)
    found = [f.severity for f in judge(conversation, policy).findings if f.rule == "structure"]
    mildest = "I" if "I" in (severity, wanted) else "R" if "R" in (severity, wanted) else "E"
    assert found == [mildest]


@pytest.mark.parametrize(("conversation", "severity"), STRUCTURES)
def test_turns_that_make_no_conversation_are_found(conversation, severity):
    found = [f.severity for f in judge(conversation, standard()).findings if f.rule == "structure"]
    assert found == [severity]


@pytest.mark.parametrize(
    "answer",
    [
        "Sure.<|im_end|> More text",
        "Fine.\nUser: And then?",
        "### Instruction: do it",
        "ok [INST] a b",
    ],
)
def test_marks_of_another_speaker_are_found(answer):
    assert "role_bleed" in open_findings(talk("Tell me", answer))


def test_marks_inside_a_code_fence_are_allowed():
    answer = "Write it like this:\n```\nUser: hello\nAssistant: hi\n```\nThat is all."
    assert open_findings(talk("Show a transcript", answer)) == set()


@pytest.mark.parametrize("rule", RULES)
def test_the_examples_of_a_rule_do_what_its_page_says(rule):
    assert rule not in open_findings(talk(*RULES[rule].good))
    bad = talk(*RULES[rule].bad)
    if rule == "structure":
        bad = Conversation(bad.turns[:1])
    assert rule in open_findings(bad)


def test_the_six_labels_that_other_programs_read_stay():
    earlier = {rule.name: rule.label for rule in RULES.values() if rule.earlier}
    assert set(earlier) == {"empty", "repetitive", "too_short", "gibberish", "truncated", "echo"}
    assert set(earlier.values()) == {
        "empty",
        "repetitive",
        "too short",
        "gibberish",
        "incomplete",
        "echo",
    }


def test_every_file_with_a_rule_stands_in_the_registry_under_its_name():
    modules = [
        import_module(f"{rules.__name__}.{found.name}") for found in iter_modules(rules.__path__)
    ]
    found = {
        module.__name__.split(".")[-1]: module.RULE for module in modules if hasattr(module, "RULE")
    }
    assert found == RULES


@pytest.mark.checklist(162)
@pytest.mark.parametrize(("question", "answer", "rules"), FLAGGED)
def test_a_rule_that_is_switched_off_says_nothing(question, answer, rules):
    policy = standard()
    for rule in RULES:
        policy = policy.changed(rule, on=False)
    assert judge(talk(question, answer), policy).findings == ()
    for rule in rules:
        assert rule in open_findings(talk(question, answer), policy.changed(rule, on=True))


def test_an_answer_that_ends_in_a_preposition_is_reviewed_where_the_rules_ask_for_it():
    conversation = talk("What did they do", "They got most of the big stuff done over")
    assert open_findings(conversation) == set()
    asked_for = standard().changed("truncated", thresholds={"prepositions": 1})
    assert open_findings(conversation, asked_for) == {"truncated"}


def test_quality_costs_forty_fifteen_and_three():
    judgement = judge(
        talk("How do I reset the password of my", "How do I reset the password of my"), standard()
    )
    assert {f.rule: f.severity for f in judgement.findings} == {"truncated": "R", "echo": "E"}
    assert (judgement.status, judgement.quality) == ("excluded", 45)


@pytest.mark.slow
def test_only_the_first_and_last_20000_characters_are_read_and_spans_still_fit():
    middle = " ".join(f"w{n}" for n in range(30_000))
    text = middle + " over and over again" * 4000
    (finding,) = judge(talk("Tell me", text), standard()).findings
    assert finding.rule == "repetitive"
    assert all("over and over again" in text[start:end] for start, end in finding.spans)


@pytest.mark.slow
def test_the_cost_of_an_answer_does_not_explode():
    nasty = [
        "a" * 200_000,
        "ab " * 100_000,
        "(" * 100_000 + "a(",
        "\u0e01\u0e31" * 50_000,
        "-a" * 90_000,
    ]
    start = time.process_time()
    for text in nasty:
        judge(talk("Tell me about it", text), standard())
    assert time.process_time() - start < 3


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_judged_and_spans_lie_inside_it(question, answer):
    for finding in judge(talk(question, answer), standard()).findings:
        length = len((question, answer)[finding.turn])
        assert all(0 <= start < end <= length for start, end in finding.spans)
