"""A chat template of a stranger can neither reach out nor run on."""

from __future__ import annotations

import tracemalloc

import pytest

from training_app.lm.guard import SandboxError
from training_app.lm.sandbox import MOST_SOURCE, ChatSource, RefusedError

HELLO = [{"role": "user", "content": "Hello"}]
DOUBLING = "{% set ns = namespace(x='a') %}{% for i in range(60) %}"
LONG = "0x" + "f" * 1000
MANY = "{% set ns = namespace(l=['a' * 1000000]) %}{% for i in range(18) %}"
MANY += "{% set ns.l = ns.l + ns.l %}{% endfor %}"
HOSTILE = {
    "loops": "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
    "a filtered loop": "{% for i in range(90000) if range(90000)|list|length < 0 %}{% endfor %}",
    "a long range": "{% for i in range(10**9) %}{% endfor %}",
    "a billion": "{% for i in range(1000000000) %}{% endfor %}",
    "attributes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attributes by name": "{{ messages['__class__'] }}",
    "globals": "{{ raise_exception.__globals__ }}",
    "the code of a macro": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "a filter for attributes": "{{ messages | attr('__class__') }}",
    "formatting": "{{ '{0.__class__}'.format(messages) }}",
    "a wide format": "{{ '%999999999d' % 1 }}",
    "a wide format method": "{{ '{:>999999999}'.format(1) }}",
    "padding": "{{ 'a'.ljust(999999999) }}",
    "centering": "{{ 'a' | center(999999999) }}",
    "multiplied text": "{{ 'a' * 9999999999 }}",
    "a multiplied list": "{{ [1] * 9999999999 }}",
    "a multiplied text at reading": "{% set x = 'a' * 9999999999 %}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "a growing number": "{% set ns = namespace(x=3) %}{% for i in range(99) %}"
    "{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "a growing text": DOUBLING + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "a growing sum": DOUBLING + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "a growing replacement": DOUBLING + "{% set ns.x = ns.x|replace('a', 'aaaa') %}{% endfor %}",
    "a growing method": DOUBLING + "{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}",
    "a growing block": DOUBLING + "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}"
    "{% set ns.x = y %}{% endfor %}",
    "a growing join": DOUBLING + "{% set ns.x = ns.x.join([ns.x, ns.x, ns.x]) %}{% endfor %}",
    "a growing filter": DOUBLING + "{% set ns.x = [ns.x, ns.x]|join(ns.x) %}{% endfor %}",
    "a nested list": DOUBLING + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "nested dicts": DOUBLING + "{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}"
    "{{ ns.x | tojson }}",
    "compared lists": DOUBLING + "{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ ns.x == ns.x }}",
    "indentation": "{{ 'a\n' | indent(999999999) }}",
    "indented JSON": "{{ messages | tojson(indent=999999999) }}",
    "much text": "{% for i in range(90000) %}" + "x" * 60_000 + "{% endfor %}",
    "much text in a macro": "{% macro m() %}" + "x" * 60_000 + "{% endmacro %}"
    "{% for i in range(90000) %}{% set y = m() %}{% endfor %}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a recursive loop": "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "splits": DOUBLING + "{% set ns.x = ns.x + ns.x %}{{ ns.x.split('a') }}{% endfor %}",
    "slices": "{% set x = 'a' * 900000 %}{% set ns = namespace(l=[]) %}"
    "{% for i in range(90000) %}{% set ns.l = ns.l + [x[i:]] %}{% endfor %}",
    "much rounding": "{{ 1|round(10000000000, 'ceil') }}",
    "rounding up": "{{ 1|round(4000000000, 'ceil') }}",
    "rounding away": "{{ 1|round(-1000000000) }}",
    "a long number": "{{ ('f' * 4000000)|int(base=16) }}",
    **{
        f"a long “{sign}”": f"{{{{ {LONG} {sign} {LONG[:-9]} }}}}" for sign in ("//", "%", "-", "/")
    },
    **{
        f"one text many times, {name}": MANY + use
        for name, use in {
            "printed": "{{ ns.l }}",
            "joined": "{{ 'a' ~ ns.l }}",
            "as text": "{{ ns.l|string|length }}",
            "as JSON": "{{ (ns.l|tojson)|length }}",
            "sorted": "{{ ns.l|sort|length }}",
            "chosen and sorted": "{{ ns.l|select|sort|length }}",
            "unique": "{{ ns.l|unique|list|length }}",
            "escaped": "{{ ns.l|e|length }}",
            "upper": "{{ ns.l|upper|length }}",
            "as keys": "{{ {'a': ns.l}|tojson|length }}",
            "compared": "{% set y = 'a' * 1000000 %}{{ [y] + ns.l == ns.l }}",
            "sought": "{{ ('a' * 1000000 ~ 'b') in ns.l }}",
            "tested": "{{ ns.l is eq ns.l }}",
            "counted": "{{ ns.l.count('a' * 1000000 ~ 'b') }}",
        }.items()
    },
    "wide JSON marks": "{{ range(90000)|list|tojson(separators=('a' * 900000, ':'))|length }}",
    "JSON indented by text": "{{ range(90000)|list|tojson(indent='a' * 900000)|length }}",
    "a search from behind": "{{ ('a' * 8000000).rfind('ab' ~ 'a' * 1000000) }}",
    "a split from behind": "{{ ('a' * 8000000).rsplit('ab' ~ 'a' * 1000000) }}",
    "an include": "{% include '/etc/passwd' %}",
    "an import": "{% import 'os' as os %}{{ os.system('true') }}",
    "an import from": "{% from 'os' import system %}",
    "inheritance": "{% extends '/etc/passwd' %}",
    "its own program": "{{ self }}",
    "a date of any width": "{{ strftime_now('%999999999d') }}",
    "a broken one": "{% for message in messages %}",
    "deep nesting": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "nested blocks": "{% if 1 %}" * 5_000 + "{% endif %}" * 5_000,
    "a long chain": "{{ messages" + ".a" * 30_000 + " }}",
    "ten million characters": "a" * 10_000_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_in_a_sentence(name):
    tracemalloc.start()
    try:
        with pytest.raises(SandboxError) as refused:
            ChatSource(HOSTILE[name]).render(HELLO, {}, cue=True)
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert memory < 300e6
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "The chat template" in sentence


def test_a_template_of_the_largest_size_is_read():
    text = "{# " + "a" * (MOST_SOURCE - 50) + " #}{{ messages[0].content }}"
    assert ChatSource(text).render(HELLO, {}, cue=True) == "Hello"


def test_a_long_conversation_is_within_the_limits():
    source = "{% set ns = namespace(all=[]) %}{% for m in messages %}"
    source += "{% set ns.all = ns.all + [m.content] %}{% endfor %}{{ ns.all|join(' ') }}"
    turns = [{"role": "user", "content": "word " * 200} for _ in range(400)]
    assert len(ChatSource(source).render(turns, {}, cue=True)) == 400 * 1001 - 1


def test_a_refusal_is_told_in_the_templates_words():
    with pytest.raises(RefusedError, match=r"^Roles must alternate$"):
        ChatSource("{{ raise_exception('Roles must alternate') }}").render(HELLO, {}, cue=True)


ORDINARY = {
    "{{ messages[0]['content'] | trim | upper }}": "HELLO",
    "{{ 'a' if messages[0].role == 'user' else 'b' }}": "a",
    "{% for m in messages %}{{ loop.index0 % 2 }}{{ loop.last }}{% endfor %}": "0True",
    "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}x{% endfor %}": "",
    "{{ messages[0].content.split('l')[-1] }}": "o",
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}": "1",
    "{{ messages | map(attribute='content') | join(', ') }}": "Hello",
    "{{ {'a': [1, none, 'é<']} | tojson }}": '{"a": [1, null, "é<"]}',
    "{{ {'a': 1} | tojson(indent=2) }}": '{\n  "a": 1\n}',
    "{% set a, b = 1, 2 %}{{ a + b * 3 }}": "7",
    "{% macro m(x, y=2) %}{{ x }}-{{ y }}{% endmacro %}{{ m('a', y=3) }}": "a-3",
    "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}": "a1",
    "{% generation %}x{% endgeneration %}": "x",
    "{% set x %}y{{ 1 }}{% endset %}{{ x ~ 2 ~ none }}": "y12None",
    "{{ missing }}{{ missing is defined }}{{ tools is none }}": "FalseTrue",
    "{{ messages[0].content[1:3] }}{{ messages[::-1][0].role }}": "eluser",
    "{{ ['b', 'a'] | sort }}{{ 'x' in 'xyz' }}": "['a', 'b']True",
    "{{ '%s' if false else bos_token }}": "<s>",
    "{{ messages[0].content.replace('l', 'L', 1) | replace('o', '0') }}": "HeLl0",
    "{{ strftime_now('%%') }}{{ namespace(a=1).a }}{{ dict(a=2).get('a') }}": "%12",
}


@pytest.mark.parametrize("source", ORDINARY)
def test_what_chat_templates_use_works(source):
    assert ChatSource(source).render(HELLO, {"bos_token": "<s>"}, cue=True) == ORDINARY[source]
