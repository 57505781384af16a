"""Eight conversations of our own that show how good ones look: one person asks, one answers."""

from __future__ import annotations

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn

NAME = "Example conversations"
_SAID = (
    (
        "How do I book a meeting room for tomorrow morning?",
        (
            "Open the calendar, choose a free room under “Places”, and invite it like a"
            " colleague. It answers at once whether it is yours."
        ),
    ),
    (
        "My laptop asks for an update. Should I let it restart now?",
        (
            "Save your work first, then let it restart. The update takes about ten minutes"
            " and needs the charger."
        ),
    ),
    (
        "What do I do when I am ill?",
        (
            "Call your team lead before nine, and hand in a doctor’s note from the third"
            " day on. Until you are back, nobody expects you to read mails."
        ),
    ),
    (
        "Can I take the projector home over the weekend?",
        (
            "Yes, when nobody has reserved it. Write your name into the list beside the"
            " cupboard and bring it back by Monday at eight."
        ),
    ),
    (
        "Where do I hand in receipts from a business trip?",
        (
            "Photograph each receipt and add it to the trip in the expense tool. Keep the"
            " paper until the money has arrived."
        ),
    ),
    (
        "Who may enter the server room?",
        (
            "Only people of the infrastructure team, and visitors together with one of"
            " them. Cards of other teams do not open that door."
        ),
    ),
    (
        "How long are parcels kept at the front desk?",
        (
            "Parcels wait there for five working days. After that they go back to the"
            " sender, so ask a colleague to fetch yours when you are away."
        ),
    ),
    (
        "I forgot the password for the intranet. How do I get a new one?",
        (
            "Choose “Forgot password” on the sign-in page and follow the link in the mail."
            " If none arrives within five minutes, call the help desk."
        ),
    ),
)


def example_conversations() -> list[Conversation]:
    """Return the eight, each of a question and an answer."""
    return [
        Conversation((Turn(USER, question), Turn(ASSISTANT, answer))) for question, answer in _SAID
    ]
