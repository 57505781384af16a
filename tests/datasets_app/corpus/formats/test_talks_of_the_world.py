"""Talks as people really have them: in many languages, scripts and programs' ways to write."""

from __future__ import annotations

import pytest

from datasets_app.corpus.parsing.chat_lines import chat_line
from datasets_app.corpus.parsing.transcripts import one_turn_per_line
from datasets_app.corpus.source import Mapping, WaitingError

ASKED = "Is the green lamp back?"
TOLD = "Yes, four are here."


def answered(load, text, name="talk.txt"):
    """Return who is asked about, and the turns once the guess was taken."""
    with pytest.raises(WaitingError) as raised:
        load(text, name)
    waiting = raised.value.waiting
    reading = load(text, name, mapping=waiting.suggested)
    return [one.name for one in waiting.speakers], reading.talks


SHORT = {
    "fi": ("Leena", "Onko lamppu tullut?", "Pekka", "On, neljä."),
    "en": ("Ann", "Back yet?", "Bo", "Yes."),
    "zh": ("王芳", "绿灯到货了吗？", "赵强", "到了四盏。"),
    "ja": ("鈴木", "ランプは届きましたか？", "高橋", "はい、四つ届きました。"),
    "he": ("נועה", "המנורה חזרה?", "אבי", "כן."),
    "ar": ("ليلى", "هل وصل المصباح؟", "كريم", "نعم."),
    "ta": ("கவிதா", "விளக்கு வந்ததா?", "முருகன்", "ஆம்."),
    "th": ("สมหญิง", "โคมไฟมาหรือยังครับ?", "วิชัย", "มาแล้วครับ."),
    "hi": ("राधिका", "दीपक आया?", "विजय", "हाँ।"),
}


@pytest.mark.parametrize("who", SHORT.values(), ids=SHORT)
@pytest.mark.parametrize("colon", [": ", "："])
def test_a_short_talk_of_two_names_is_asked_about(load, who, colon):
    first, asked, second, told = who
    text = f"{first}{colon}{asked}\n{second}{colon}{told}\n" * 2
    names, (talk,) = answered(load, text)
    assert set(names) == {first, second}
    assert talk == [("user", asked), ("assistant", told)] * 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *(("Asiakas", "Myyjä"), ("Ügyfél", "Ügyintéző"), ("Kund", "Kundtjänst")),
        *(("العميل", "الموظف"), ("לקוח", "נציג"), ("ग्राहक", "एजेंट"), ("ลูกค้า", "พนักงาน")),
        *(("வாடிக்கையாளர்", "முகவர்"), ("مشتری", "کارشناس"), ("Πελάτης", "Υπάλληλος")),
    ],
)
def test_words_for_roles_of_many_languages_are_known(load, first, second):
    text = f"{first}: {ASKED}\n{second}: {TOLD}\n"
    assert load(text, "a.txt").talks == [[("user", ASKED), ("assistant", TOLD)]]


ABOVE = {
    "teams": ("[12.03.2024 09:12] {}\n{}\n", "Ann Lee", "Bo Ray"),
    "otter": ("{}  0:0{n}\n{}\n\n", "Ann Lee", "Bo"),
    "beside": ("{} (09:1{n})\n{}\n\n", "Speaker 1", "Speaker 2"),
    "before": ("00:00:0{n} {}\n{}\n\n", "Ann", "Bo"),
    "dated": ("2024-03-12 09:1{n}:00 {}\n{}\n\n", "安娜", "灯店"),
    "phone": ("Mar 12, 2024  9:1{n}:00 AM\n{}\n{}\n\n", "+44 20 7946 0018", "Bo"),
}
BESIDE = {
    "square": ("[{}] {}\n", "Ann", "Bo"),
    "angle": ("<{}> {}\n", "Ann", "Bo"),
    "round": ("({}) {}\n", "Speaker 1", "Speaker 2"),
    "sign": ("[{}]: {}\n", "SPEAKER_00", "SPEAKER_01"),
    "capitals": ("{}. {}\n", "ANN", "BO-BO"),
    "kakao": ("[{}] [오후 3:1{n}] {}\n", "안나", "램프샵"),
    "line": ("15:1{n}\t{}\t{}\n", "安奈", "ランプ店"),
    "arabic": ("\u200f12\u200f/3\u200f/2024، 9:1{n} ص - {}: {}\n", "ليلى", "المحل"),
    "chinese": ("2024/3/12 上午9:1{n} - {}: {}\n", "王芳", "灯店"),
    "finnish": ("12.3.2024 klo 9.1{n} - {}: {}\n", "Leena", "Kauppa"),
}


@pytest.mark.parametrize("way", [*ABOVE.values(), *BESIDE.values()], ids=[*ABOVE, *BESIDE])
def test_names_above_what_is_said_and_in_brackets(load, way):
    line, first, second = way
    said = ((first, ASKED), (second, TOLD)) * 2
    text = "".join(line.format(who, words, n=n) for n, (who, words) in enumerate(said))
    names, (talk,) = answered(load, text)
    assert set(names) == {first, second}
    assert talk == [("user", ASKED), ("assistant", TOLD)] * 2


def test_headings_of_roles_are_a_talk_and_other_headings_none(load):
    text = f"## User\n\n{ASKED}\n\n## Assistant\n\n{TOLD}\n\n- four\n"
    assert load(text, "a.md").talks == [[("user", ASKED), ("assistant", f"{TOLD}\n- four")]]
    log = "## Added\n\nA lamp.\n\n## Fixed\n\nA switch.\n\n" * 3
    assert load(log, "b.md").talks[0][0][0] == "text"


@pytest.mark.parametrize(
    "text",
    [
        "[INFO] The lamp is on.\n[ERROR] The lamp is off.\n" * 4,
        "Breakfast  8:30\nIn the hall.\nLunch  12:30\nIn the garden.\n",
        "Name: Ben\nAge: 40\nTown: Oslo\n" * 4,
        "<p> One.\n<b> Two.\n" * 4,
        "Problem: The lamp is dark.\n",
        "09:12 Train\nTo Oslo, from platform 3.\n09:30 Bus\nTo Bergen, from the square.\n" * 3,
        "Train, 09:12\nTo Oslo.\nBus, 09:30\nTo Bergen.\n" * 3,
        "[09:12] Train North\nFrom platform 3.\n[09:30] Bus South\nFrom the square.\n" * 2,
        "Train North\n09:12\nFrom platform 3.\nBus South\n09:30\nFrom the square.\n" * 3,
        "09:00 Welcome\nThe chair speaks.\n10:00 Coffee\nIn the hall.\n11:00 Coffee\nAgain.\n",
        "ART. 1. Lamps are lit at night.\nART. 2. They are put out at dawn.\n" * 3,
        "SECTION. Lamps of the town.\nSCOPE. All of the streets.\n" * 3,
        "[main] Started the pool.\n[worker] Took a job.\n" * 4,
        "[core] Lamps are brighter.\n[web] The page is wider.\n" * 4,
        "Pros: It is bright and small.\nCons: It is dear and far away.\n" * 3,
    ],
)
def test_what_is_no_talk_stays_text(load, text):
    assert {role for talk in load(text, "a.txt").talks for role, _ in talk} == {"text"}


@pytest.mark.parametrize("between", ["", "\n"])
def test_headings_of_a_shop_above_prose_are_asked_about(load, between):
    text = f"Customer\n{between}Looks for lamps.{between}\nAgent\n{between}Sells lamps.{between}\n"
    names, (talk,) = answered(load, text * 2)
    assert set(names) == {"Customer", "Agent"}
    assert [role for role, _ in talk] == ["user", "assistant"] * 2


@pytest.mark.parametrize(
    "between",
    [
        *("=== Chat 2 ===", "Conversation ID: 102", "----- 2 -----", "Ticket #17", "Gespräch 3:"),
        *("# Conversation 4", "*** next one ***", "Vorgangsnummer: 88-A2"),
    ],
)
def test_a_title_between_talks_is_said_by_nobody(load, between):
    talk = f"Customer: {ASKED}\nAgent: {TOLD}\n"
    first = between.replace("2", "1", 1)
    told = [[("user", ASKED), ("assistant", TOLD)]] * 2
    assert load(f"{first}\n{talk}\n{between}\n{talk}", "a.txt").talks == told


@pytest.mark.parametrize(
    "gone",
    [
        *("Bu mesaj silindi", "Ta wiadomość została usunięta.", "Данное сообщение удалено"),
        *("تم حذف هذه الرسالة", "此消息已删除", "Questo messaggio è stato eliminato"),
        *("Bild weggelassen", "IMG-1.jpg (file attached)", "[スタンプ]"),
    ],
)
def test_what_was_taken_back_is_nobodys_words_in_many_languages(gone):
    said = chat_line(f"12.03.2024 09:51 - Ann: {gone}")
    assert said is not None
    assert (said.name, said.text) == ("", "")


def test_silence_behind_a_time_is_no_words(load):
    text = f"00:01 Customer: {ASKED}\n00:04 [long pause]\n00:09 Agent: {TOLD}\n[music]\n"
    assert load(text, "a.txt").talks == [[("user", ASKED), ("assistant", TOLD)]]


def test_me_is_whoever_exported_it_and_so_asked_about(load):
    text = f"[2024-03-12 09:12] Ann: {ASKED}\n[2024-03-12 09:13] Me: {TOLD}\n" * 2
    assert answered(load, text)[1] == [[("user", ASKED), ("assistant", TOLD)] * 2]


def test_voices_of_three_cues_speak(load):
    text = "WEBVTT\n\n" + "".join(
        f"ab/{n}-0\n00:00:0{n}.000 --> 00:00:0{n}.900\n<v {who}>{words}</v>\n\n"
        for n, (who, words) in enumerate([("Ann Lee", ASKED), ("Bo Ray", TOLD), ("Ann Lee", "Ok.")])
    )
    assert answered(load, text, "a.vtt")[1] == [
        [("user", ASKED), ("assistant", TOLD), ("user", "Ok.")]
    ]


def test_a_table_of_pairs_below_a_talk_is_nobodys_words(load):
    text = (
        f"Customer: {ASKED}\nAgent: {TOLD}\nTopic | Question | Answer\nhours | Open? | At nine.\n"
    )
    talks = load(f"{text}Customer: {ASKED}\nAgent: {TOLD}\n", "a.txt").talks
    pair = [("user", ASKED), ("assistant", TOLD)]
    assert talks == [pair, [("user", "Open?"), ("assistant", "At nine.")], pair]


STAMPS = (
    *(
        "{day}.03.2024, {hour}:41 - ",
        "[2024/03/{day}, {hour}:41:10] ",
        "03/{day}/24, {hour}:41 AM - ",
    ),
    "\u200f{day}\u200f/3\u200f/2024، {hour}:41 ص - ",
)


@pytest.mark.parametrize("stamp", STAMPS)
def test_whoever_asks_after_a_long_pause_begins_a_new_talk(load, stamp):
    said = (("12", "08", "Ann", ASKED), ("12", "09", "Shop", TOLD), ("12", "10", "Ann", "Thanks!"))
    later = (("13", "09", "Shop", "Bye."), ("25", "09", "Ann", ASKED), ("25", "11", "Shop", TOLD))
    text = "".join(
        f"{stamp.format(day=day, hour=hour)}{who}: {words}\n"
        for day, hour, who, words in (*said, *later)
    )
    roles = {"ann": "user", "shop": "assistant"}
    parts = load(text, "a.txt", mapping=Mapping(roles=roles)).records
    assert [len(one.turns) for one in parts] == [4, 2]
    assert "more than six hours" in parts[1].notes[0]
    whole = Mapping(roles=roles, pauses="whole")
    assert Mapping.from_json(whole.as_json()) == whole
    assert [len(one.turns) for one in load(text, "a.txt", mapping=whole).records] == [6]


DESK = {"customer": "user", "agent": "assistant"}


@pytest.mark.parametrize(
    ("desk", "later", "talks"),
    [
        ("Please send a photo of the plate.", "12.03.2024, 20:01", 1),
        ("Which plate is it?", "14.03.2024, 20:01", 1),
        ("It has shipped.", "12.03.2024, 20:01", 1),
        ("It has shipped.", "14.03.2024, 20:01", 2),
        ("Which plate is it?", "24.03.2024, 20:01", 2),
    ],
)
def test_an_answer_that_is_awaited_begins_no_new_talk(load, desk, later, talks):
    text = (
        f"12.03.2024, 09:41 - Customer: {ASKED}\n12.03.2024, 09:55 - Agent: {desk}\n"
        f"{later} - Customer: Here it is, type L-5.\n{later} - Agent: Thanks.\n"
    )
    assert len(load(text, "a.txt", mapping=Mapping(roles=DESK)).records) == talks


def test_american_dates_are_read_by_the_smallest_steps(load):
    text = (
        f"3/11/24, 11:55 PM - Agent: {TOLD}\n3/11/24, 11:56 PM - Customer: {ASKED}\n"
        f"3/11/24, 11:57 PM - Agent: {TOLD}\n3/12/24, 12:01 AM - Customer: {ASKED}\n"
    )
    assert len(load(text, "a.txt", mapping=Mapping(roles=DESK)).records) == 1


@pytest.mark.parametrize("stamp", ["[0{n}/03/2024, 09:12] ", "(0{n}:12) ", "0{n}/03/24 9:12 p.m. "])
def test_a_time_in_brackets_stays_before_the_label_of_its_line(stamp):
    text = "".join(stamp.format(n=n) + f"Customer: {ASKED}\n" for n in range(1, 5))
    assert one_turn_per_line(text) == text
    inline = f"Customer: {ASKED} Agent: {TOLD} Customer: Good. Agent: Bye."
    assert one_turn_per_line(inline).count("\n") == 3


@pytest.mark.parametrize("stamp", ["[00:00:{:02}] ", "({:02}:10) ", "00:01:{:02} - "])
def test_times_of_a_recording_are_no_words_of_its_passage(load, stamp):
    lines = [f"Lamps have {n} parts, and each of them is small." for n in range(5)]
    text = "".join(f"{stamp.format(n)}{line}\n" for n, line in enumerate(lines))
    (record,) = load(text, "a.txt").records
    assert record.turns[0].text == "\n".join(lines)
    assert record.notes == ("the times before its lines were left out",)


def test_times_of_a_day_stay_in_a_plan(load):
    text = "[09:30] Doors open\n[12:00] Lunch is served\n[14:30] Lamps are lit\n"
    assert load(text, "a.txt").talks == [[("text", text.strip())]]
    night = "[00:12] Bus 1 Harbour\n[00:42] Bus 1 Harbour\n[01:12] Bus 2 Hill\n[02:12] Bus 1\n"
    assert load(night, "a.txt").talks == [[("text", night.strip())]]
