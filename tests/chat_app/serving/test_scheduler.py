from __future__ import annotations

import re
import shutil
import threading
import time
from collections import defaultdict

import numpy as np
import pytest

from chat_app.serving.errors import BusyError, ServingError
from chat_app.serving.requests import Delta, Finished, ModelKey, Request, Started, Urgency
from chat_app.serving.sampling import Sampling
from chat_app.serving.scheduler import Scheduler
from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Turn
from tests.chat_app.serving.toys import CHATS
from training_app.lm.template import Template

GREEDY = Sampling(temperature=0.0)
HOT = Sampling(temperature=1.0, top_p=0.95)


class World:
    """A scheduler whose passes the test makes, and everything it said."""

    def __init__(self, load, **settings):
        self.events = defaultdict(list)
        self.scheduler = Scheduler(self.hear, load=load, **settings)

    def hear(self, event):
        self.events[event.gen].append(event)

    def ask(self, gen, model, question=CHATS[0][0], **values):
        values.setdefault("sampling", GREEDY)
        has_prompt = {"prompt_ids", "turns", "text"} & values.keys()
        prompt = {} if has_prompt else {"turns": (Turn(USER, question),)}
        values.setdefault("user", gen)
        self.scheduler.submit(Request(gen=gen, model=model, **prompt, **values))

    def finish(self, *gens, passes=5000):
        for _ in range(passes):
            if not self.scheduler.turn():
                time.sleep(0.005)  # a model is being loaded
            if all(ends := [self.end(gen) for gen in gens]):
                return ends
        raise AssertionError(f"unfinished: {[gen for gen in gens if not self.end(gen)]}")

    def end(self, gen):
        return next((event for event in self.events[gen] if isinstance(event, Finished)), None)

    def text(self, gen):
        return "".join(event.text for event in self.events[gen] if isinstance(event, Delta))

    def told_ids(self, gen):
        return sum((e.token_ids for e in self.events[gen] if isinstance(e, Delta)), ())

    def pass_until_writing(self, *gens):
        for _ in range(5000):
            if not self.scheduler.turn():
                time.sleep(0.005)  # a model is being loaded
            if all(any(isinstance(e, Delta) for e in self.events[gen]) for gen in gens):
                return
        raise AssertionError("nothing was written")


@pytest.fixture
def world(load):
    return World(load)


@pytest.fixture
def model(trained_folder):
    return ModelKey(trained_folder)


@pytest.mark.checklist(213)
def test_a_trained_model_answers_and_ends_by_itself(world, model):
    for number, (question, _) in enumerate(CHATS):
        world.ask(str(number), model, question)
    ends = world.finish("0", "1", "2", "3")
    assert [world.text(str(number)) for number in range(4)] == [answer for _, answer in CHATS]
    assert {end.finish_reason for end in ends} == {"stop"}


def test_events_tell_the_whole_story(world, model, trained_folder):
    world.ask("a", model, seed=None)
    (end,) = world.finish("a")
    first, *deltas, last = world.events["a"]
    template = Template.open(trained_folder)
    assert first == Started("a", len(end.prompt_ids), 0)
    assert list(end.prompt_ids) == template.prompt([Turn(USER, CHATS[0][0])]).ids
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert last is end
    assert world.told_ids("a") == end.answer_ids
    assert template.decode(end.answer_ids) == world.text("a")
    assert 0 <= end.seed < 2**53
    timings = end.timings
    assert timings.prompt_ms > 0
    assert timings.first_token_ms >= timings.queue_ms + timings.prompt_ms
    assert timings.tokens_per_second > 0


def solo(load, model, gen, **values):
    alone = World(load)
    alone.ask(gen, model, **values)
    return alone.finish(gen)[0]


def test_five_people_who_join_and_leave_get_what_each_would_get_alone(world, load, model):
    wishes = {
        f"user{number}": {
            "question": CHATS[number % 4][0] * (1 + number % 3),
            "seed": number,
            "sampling": Sampling(temperature=0.9 + number / 10, repetition_penalty=1.1),
            "new_tokens": 20 + 13 * number,
        }
        for number in range(5)
    }
    for gen, values in wishes.items():
        world.ask(gen, model, **values)
        for _ in range(7):  # others are in the middle of their answers when this one joins
            world.scheduler.turn()
    ends = dict(zip(wishes, world.finish(*wishes), strict=True))
    for gen, values in wishes.items():
        alone = solo(load, model, gen, **values)
        assert ends[gen].answer_ids == alone.answer_ids
        assert ends[gen].finish_reason == alone.finish_reason
    assert world.scheduler.active_count() == 0


def test_replay_under_another_load_gives_the_same_tokens(world, load, model):
    first = solo(load, model, "a", seed=5, sampling=HOT, new_tokens=60)
    for number in range(4):
        world.ask(f"noise{number}", model, CHATS[number][0], sampling=HOT, seed=number)
    world.ask("a", model, prompt_ids=first.prompt_ids, seed=5, sampling=HOT, new_tokens=60)
    again, *_ = world.finish("a", *(f"noise{number}" for number in range(4)))
    assert again.answer_ids == first.answer_ids


def test_a_continued_answer_is_what_it_would_have_been_uncut(world, load, model):
    whole = solo(load, model, "a", seed=9, sampling=HOT, new_tokens=50)
    cut = whole.answer_ids[:17]
    world.ask("a", model, seed=9, sampling=HOT, given_ids=cut, new_tokens=33)
    (end,) = world.finish("a")
    assert end.answer_ids == whole.answer_ids
    assert world.told_ids("a") == whole.answer_ids


@pytest.mark.checklist(210)
def test_stop_frees_the_row_within_one_pass_and_keeps_what_was_written(world, model):
    for gen in "abc":
        world.ask(gen, model, sampling=HOT, seed=3, new_tokens=200)
    world.pass_until_writing("a", "b", "c")
    assert world.scheduler.active_count() == 3
    before = world.text("b")
    world.scheduler.stop("b")
    world.scheduler.turn()
    end = world.end("b")
    assert world.scheduler.active_count() == 2
    assert end.finish_reason == "stopped"
    assert world.text("b").startswith(before)
    assert end.answer_ids == world.told_ids("b")
    world.finish("a", "c")
    assert world.events["b"][-1] is end


def test_a_request_that_waits_can_be_stopped_too(world, model):
    for number in range(8):
        world.ask(str(number), model, sampling=HOT, seed=1, new_tokens=100)
    world.pass_until_writing("0")
    world.scheduler.stop("7")
    world.scheduler.turn()
    assert world.end("7").finish_reason == "stopped"
    assert world.text("7") == ""
    world.finish(*map(str, range(7)))


def test_no_text_of_one_person_reaches_another(world, model):
    canaries = {f"user{number}": f"secret{number}x{number * 7919}" for number in range(6)}
    for gen, canary in canaries.items():
        world.ask(gen, model, f"{CHATS[1][0]} {canary}", sampling=HOT, seed=1)
    world.finish(*canaries)
    for gen in canaries:
        others = [canary for other, canary in canaries.items() if other != gen]
        assert not any(canary in world.text(gen) for canary in others)


def test_the_next_turn_of_a_chat_reads_only_what_is_added(world, load, model):
    turns = [Turn(USER, CHATS[0][0])]
    world.ask("a", model, user="mia", turns=tuple(turns))
    world.finish("a")
    turns += [Turn(ASSISTANT, CHATS[0][1]), Turn(USER, CHATS[1][0])]
    for gen, user in (("b", "mia"), ("c", "milo")):
        world.ask(gen, model, user=user, turns=tuple(turns), seed=1, sampling=HOT)
    known, unknown = world.finish("b", "c")
    assert world.events["a"][0].cached_tokens == 0
    assert world.events["b"][0].cached_tokens > 0
    assert world.events["c"][0].cached_tokens == 0
    alone = solo(load, model, "b", turns=tuple(turns), seed=1, sampling=HOT)
    assert known.answer_ids == unknown.answer_ids == alone.answer_ids


def test_stop_strings_end_the_answer_and_are_not_shown(world, model):
    question, answer = CHATS[0]
    stop = answer[10:24]
    world.ask("a", model, question, stop=[stop])
    (end,) = world.finish("a")
    assert end.finish_reason == "stop"
    assert world.text("a") == answer[:10]


@pytest.mark.checklist(207)
def test_the_length_is_a_limit_and_not_a_goal(world, model):
    world.ask("short", model, new_tokens=5)
    world.ask("long", model, new_tokens=200)
    short, long = world.finish("short", "long")
    assert (short.finish_reason, len(short.answer_ids)) == ("length", 5)
    assert long.finish_reason == "stop"
    assert world.text("long").startswith(world.text("short"))


@pytest.mark.checklist(29)
@pytest.mark.parametrize("values", [{"top_p": 0.1}, {"repetition_penalty": 1.8}, {"top_k": 1}])
def test_each_control_changes_the_answer_of_the_same_seed(world, model, values):
    base = {"temperature": 1.5, "top_p": 1.0}
    for gen, changes in (("a", {}), ("b", {}), ("c", values)):
        world.ask(gen, model, seed=4, sampling=Sampling(**base | changes), new_tokens=60)
    first, same, other = world.finish("a", "b", "c")
    assert first.answer_ids == same.answer_ids
    assert first.answer_ids != other.answer_ids


@pytest.mark.checklist(212)
def test_the_repetition_penalty_lowers_the_share_of_repeated_tokens(world, gpt2_folder):
    shares = []
    for penalty in (1.0, 1.2, 1.5):
        gen = str(penalty)
        sampling = Sampling(temperature=0.0, repetition_penalty=penalty)
        world.ask(gen, ModelKey(gpt2_folder), sampling=sampling, new_tokens=60)
        ids = world.finish(gen)[0].answer_ids
        shares.append(1 - len(set(ids)) / len(ids))
    assert shares[0] > shares[1] >= shares[2]


@pytest.mark.slow
def test_numbers_that_may_only_be_copied_stand_in_the_prompt(world, gpt2_folder):
    wild = Sampling(temperature=2.0, top_p=1.0)
    values = {"question": "24 or 7 days?", "sampling": wild, "new_tokens": 200}
    for gen in "0123":
        world.ask(f"free{gen}", ModelKey(gpt2_folder), seed=int(gen), **values)
        world.ask(gen, ModelKey(gpt2_folder), seed=int(gen), copies_numbers=True, **values)
    free = [f"free{gen}" for gen in "0123"]
    world.finish(*free, *"0123")
    assert set(re.findall("[0-9]+", " ".join(map(world.text, free)))) - {"24", "7"}
    for gen in "0123":
        assert set(re.findall("[0-9]+(?=[^0-9])", world.text(gen))) <= {"24", "7"}


@pytest.mark.checklist(206)
def test_a_long_chat_loses_its_oldest_turns_and_says_so(world, model, trained_folder):
    template = Template.open(trained_folder)
    history = [Turn(SYSTEM, "Be kind.")]
    for question, answer in CHATS * 3:
        history += [Turn(USER, question), Turn(ASSISTANT, answer)]
    history.append(Turn(USER, CHATS[2][0]))
    world.ask("a", model, turns=tuple(history), new_tokens=100)
    (end,) = world.finish("a")
    started = world.events["a"][0]
    assert started.dropped_turns > 0
    assert len(end.prompt_ids) == started.prompt_tokens <= 256 - 100
    system = template.prompt([history[0]]).ids[:-1]
    assert list(end.prompt_ids[: len(system)]) == system
    assert end.prompt_ids[-1] == template.cues[ASSISTANT]
    assert CHATS[2][0] in template.decode(end.prompt_ids)


def test_an_answer_may_fill_the_context_to_its_last_token(world, model):
    world.ask("a", model, prompt_ids=[7] * 250, sampling=HOT, seed=2, new_tokens=200)
    (end,) = world.finish("a")
    assert end.finish_reason in {"length", "stop"}
    assert len(end.answer_ids) <= 6


def test_a_prompt_that_cannot_fit_is_refused_with_a_sentence(world, model):
    world.ask("a", model, prompt_ids=[7] * 256)
    (end,) = world.finish("a")
    assert end.finish_reason == "failed"
    assert "Make it shorter" in end.reason


@pytest.mark.parametrize(
    "values",
    [
        {"prompt_ids": [5, 9999]},
        {"given_ids": [-1]},
        {"sampling": Sampling(logit_bias={9999: 1.0})},
    ],
)
def test_ids_of_another_model_fail_one_request_only(world, model, values):
    world.ask("good", model)
    world.ask("bad", model, **values)
    good, bad = world.finish("good", "bad")
    assert good.finish_reason == "stop"
    assert (bad.finish_reason, bad.answer_ids) == ("failed", ())
    assert "another model" in bad.reason


def test_a_request_that_nobody_foresaw_fails_alone(world, model, caplog):
    world.ask("good", model)
    world.ask("bad", model, stop=5)
    good, bad = world.finish("good", "bad")
    assert good.finish_reason == "stop"
    assert bad.finish_reason == "failed"
    assert "log says why" in bad.reason
    assert "answer bad could not be begun" in caplog.text


@pytest.mark.parametrize("values", [{"new_tokens": 0}, {"seed": -1}, {"seed": 2**53}])
def test_a_request_that_makes_no_sense_is_refused_when_it_is_made(model, values):
    with pytest.raises(ServingError):
        Request(gen="a", user="a", model=model, **values)


def test_a_model_that_breaks_while_it_writes_fails_its_answers_and_is_loaded_again(
    load, model, trained_folder, tmp_path
):
    folder = shutil.copytree(trained_folder, tmp_path / "model")
    world, broken = World(load, models=2), ModelKey(folder)
    world.ask("a", broken, sampling=HOT, seed=1, new_tokens=200)
    world.ask("b", model, sampling=HOT, seed=1, new_tokens=40)
    world.pass_until_writing("a", "b")
    for buffer in load(broken).session.cache.buffers.values():
        buffer[:] = np.nan
    broken_end, fine = world.finish("a", "b")
    assert broken_end.finish_reason == "failed"
    assert "damaged" in broken_end.reason
    assert broken_end.answer_ids == world.told_ids("a")
    assert fine.finish_reason in {"stop", "length"}
    world.ask("c", broken)
    assert world.finish("c")[0].finish_reason == "stop"


def test_a_model_without_a_serving_file_fails_and_does_not_stop_the_others(world, model, tmp_path):
    world.ask("a", ModelKey(tmp_path))
    world.ask("b", model)
    broken, fine = world.finish("a", "b")
    assert broken.finish_reason == "failed"
    assert "Export it again" in broken.reason
    assert fine.finish_reason == "stop"


def test_the_queue_is_bounded(load, model):
    world = World(load, most_waiting=2)
    world.ask("a", model)
    world.ask("b", model)
    with pytest.raises(BusyError, match="try again"):
        world.ask("c", model)
    world.finish("a", "b")
    assert not world.events["c"]


def test_a_greedy_user_does_not_keep_others_waiting(world, model):
    for number in range(20):
        world.ask(f"flood{number}", model, user="greedy", new_tokens=30)
    world.pass_until_writing("flood5")
    world.ask("polite", model, user="polite", new_tokens=5)
    assert world.scheduler.waiting()[0] == "polite"
    world.finish("polite")
    assert sum(world.end(f"flood{number}") is not None for number in range(20)) < 12
    world.finish(*(f"flood{number}" for number in range(20)))


def test_chats_go_before_evaluation(world, model):
    for number in range(8):
        world.ask(f"batch{number}", model, urgency=Urgency.EVALUATION, new_tokens=10)
    world.ask("chat", model)
    assert world.scheduler.waiting()[0] == "chat"
    world.finish("chat", *(f"batch{number}" for number in range(8)))


def test_two_models_answer_at_once_and_the_longest_unused_is_unloaded(
    load, model, gpt2_folder, trained_folder
):
    loads = []
    world = World(lambda key: (loads.append(key), load(key))[1], models=2)
    other, third = ModelKey(gpt2_folder), ModelKey(trained_folder, "row-int8")
    world.ask("a", model)
    world.ask("b", other, new_tokens=5)
    world.finish("a", "b")
    world.ask("c", model)
    world.finish("c")
    world.ask("d", third)
    world.finish("d")
    assert set(loads) == {model, other, third}
    world.ask("e", model)
    world.finish("e")
    assert len(loads) == 3  # the model stayed, the other one went
    world.ask("f", other, new_tokens=5)
    world.finish("f")
    assert len(loads) == 4


def test_a_thread_serves_until_it_is_closed_and_says_what_it_left(load, model):
    world = World(load)
    done = threading.Event()

    def listen(event):
        world.hear(event)
        if isinstance(event, Finished) and event.gen == "a":
            done.set()

    scheduler = world.scheduler = Scheduler(listen, load=load)
    (thread := threading.Thread(target=scheduler.run)).start()
    world.ask("a", model)
    assert done.wait(300)
    assert world.text("a") == CHATS[0][1]
    for number in range(9):
        world.ask(f"late{number}", model, sampling=HOT, seed=1)
    scheduler.close()
    thread.join(300)
    assert not thread.is_alive()
    assert all(world.end(f"late{number}") for number in range(9))
    with pytest.raises(BusyError):
        world.ask("too late", model)
