"""What two texts state differently is said once, and by the right word."""

from __future__ import annotations

import pytest

from datasets_app.corpus.repeats.clusters import Text, are_similar, stated_otherwise

OPEN = "Our shop in the old town is open on {} from nine to six, all the year round."


@pytest.mark.parametrize(
    ("text", "one", "other", "kind"),
    [
        (OPEN, "Monday", "Tuesday", "day"),
        (
            "Wir haben am {} von neun bis sechs geöffnet, das ganze Jahr.",
            "Montag",
            "Freitag",
            "day",
        ),
        ("Nous sommes ouverts le {} de neuf à six heures toute l’année.", "lundi", "mardi", "day"),
        ("Abrimos el {} de nueve a seis, todo el año y sin pausa.", "sábado", "domingo", "day"),
        ("The blue lamp comes back in {} and costs forty euros again.", "March", "April", "month"),
        (
            "Die blaue Lampe kommt im {} zurück und kostet wieder gleich viel.",
            "Mai",
            "Juni",
            "month",
        ),
        (
            "The parcel weighs {} kilograms and is sent by the usual post.",
            "Ten",
            "Twelve",
            "number",
        ),
        ("The parcel weighs {} kilograms and is sent by the usual post.", "10", "12", "number"),
        ("The parcel is brought to you by {} from the old town shop.", "Anna", "Berta", "name"),
        ("We deliver {} at the door of your house, as you asked for.", "today", "tomorrow", "day"),
    ],
)
def test_another_day_is_no_number_and_no_name(text, one, other, kind):
    left, right = Text.of(text.format(one)), Text.of(text.format(other))
    (found,) = stated_otherwise(left, right)
    assert (found.kind, found.left, found.right) == (kind, (one.lower(),), (other.lower(),))
    assert not are_similar(left, right)


def test_words_that_may_be_months_are_none_in_the_middle_of_a_sentence():
    left, right = (
        Text.of("You may march home with it now."),
        Text.of("You may go home with it now."),
    )
    assert stated_otherwise(left, right) == []
