"""Questions about the house: stores, account, vouchers, gift cards, club, jobs, small talk."""

from __future__ import annotations

from datasets_app.sample.intent import Intent

HOUSE = (
    Intent(
        "opening_hours",
        (
            "When [do you open|are you open] in {city}?",
            "What are the opening hours [in|of the store in] {city}?",
            "Until when is the {city} [shop|store] open?",
            "[Can I come|May I come] to the store in {city} on {day}?",
        ),
        (
            "The store in {city} is open from {opens} to {closes}, and closed on {closed}.",
            "In {city} we open at {opens} and close at {closes}[; {closed} is our day off|].",
            "You find us in {city} from {opens} to {closes}, every day but {closed}.",
        ),
        (
            ("Where exactly is it?", "The store in {city} is at {street}."),
            ("Can I park there?", "In {city} you can park {parking}."),
        ),
    ),
    Intent(
        "store_location",
        (
            "Where is your [store|shop] in {city}?",
            "What is the address [in {city}|of the {city} store]?",
            "How do I find you in {city}?",
        ),
        (
            "Our store in {city} is at {street}.",
            "You find us at {street} in {city}[, look for the juniper tree|].",
        ),
        (
            ("And the opening hours?", "From {opens} to {closes}, closed on {closed}."),
            ("Is there parking?", "You can park {parking}."),
        ),
    ),
    Intent(
        "parking",
        (
            "Where can I park [in|near the store in] {city}?",
            "Is there parking at your {city} store?",
            "I come to {city} by car, [any tips|where do I leave it]?",
        ),
        (
            "In {city} you can park {parking}.",
            "Parking in {city} is {parking}[, bicycles stand at the door|].",
        ),
    ),
    Intent(
        "closed_day",
        (
            "On which day is the {city} store closed?",
            "[Do you|Does the store in {city}] close on {closed}?",
            "Are you [open|there] in {city} on {closed}?",
        ),
        (
            "The {city} store is closed on {closed}.",
            "On {closed} we rest in {city}; on all other days we open at {opens}.",
        ),
    ),
    Intent(
        "contact",
        (
            "How can I reach you[ by phone|]?",
            "[Do you have|Is there] a phone number?",
            "I [want|would like] to talk to a person.",
        ),
        (
            "Call us on 555-0142 from 9 am to 5 pm, or write to hello@juniperpine.example.",
            "A person answers on 555-0142[; {name} is at the desk today|].",
        ),
        (("When is the phone answered?", "From 9 am to 5 pm, and never on Sunday."),),
    ),
    Intent(
        "account_create",
        (
            "How do I [create|open] an account?",
            "[Do I need|Must I have] an account to order the {thing}?",
            "I want to [register|sign up].",
        ),
        (
            "Choose sign up at the top, enter your mail address and pick a password.",
            "Sign up at the top: a mail address and a password are all you need.",
            "You can order the {product} as a guest; an account only saves your addresses.",
        ),
    ),
    Intent(
        "account_password",
        (
            "I forgot my password.",
            "How can I reset my password?",
            "I [cannot|can't] log in[ any more|].",
            "The login [says my password is wrong|does not work].",
        ),
        (
            "Choose forgot password on the login page, the link in the mail is good for one hour.",
            "[No worries|That happens]: on the login page ask for a link and set a fresh password.",
        ),
        (("No mail came.", "Please look in the spam folder, or tell me your mail address."),),
    ),
    Intent(
        "account_delete",
        (
            "[Please delete|How do I delete] my account?",
            "I want all my data removed.",
            "How can I close my account[ with you|]?",
        ),
        (
            "In your account choose privacy and then delete; your data is gone after 14 days.",
            "I can start the deletion for you, your account and data are gone after 14 days.",
        ),
        (("And my old invoices?", "The law makes us keep invoices for some years."),),
    ),
    Intent(
        "voucher",
        (
            "My voucher {code} does not work.",
            "[Where|How] do I enter the code {code}?",
            "Is the voucher {code} still valid?",
            "I have a discount code, where [does it go|do I type it]?",
        ),
        (
            "Enter {code} in the field below the basket[; it works once per customer|].",
            "The voucher {code} is valid until {day} and from $40 on.",
            "Type your code in the field below the basket; it works once per customer.",
        ),
        (("Can I use two at once?", "Only one voucher works per order."),),
    ),
    Intent(
        "gift_card",
        (
            "Do you [sell|have] gift cards?",
            "I [want|would like] to buy a gift card of {amount} for {name}.",
            "How does a gift card work?",
        ),
        (
            "Gift cards of $25 to $100 come by mail or printed at every desk.",
            (
                "A gift card of {amount} is on its way in minutes; {name} enters its code at the "
                "checkout."
            ),
        ),
        (("How long is it valid?", "A gift card is valid for four years."),),
    ),
    Intent(
        "gift_card_balance",
        (
            "How much is left on my gift card?",
            "[Where|How] do I check the balance of a gift card?",
        ),
        (
            "Type the code of the gift card on the page balance[, it shows the rest at once|].",
            "Any store can read the balance of a gift card within a minute.",
        ),
    ),
    Intent(
        "newsletter",
        (
            "How do I [subscribe to|get] your newsletter?",
            "[Please stop|How do I stop] the newsletter?",
            "I get too many mails from you.",
        ),
        (
            "The newsletter has a link at its end with which you stop it or choose fewer mails.",
            "Newsletter settings are in your account under mails[; it comes once a month|].",
        ),
    ),
    Intent(
        "club",
        (
            "What is the [Pine Club|club]?",
            "How do I [join|become a member of] the Pine Club?",
            "What do club members get?",
        ),
        (
            "Members of the Pine Club get free delivery and a walk with our guides each month.",
            "Joining the Pine Club costs $12 a year; sign up in a store or in your account.",
        ),
        (("When is the next walk?", "The next walk starts on {day} at 9 am."),),
    ),
    Intent(
        "course",
        (
            "Do you [offer|run] courses[ for beginners|]?",
            "I want to learn how to [pack|read a map|put up a tent].",
            "[Is|Will] there [a course|be a course] in {city}?",
        ),
        (
            "Our course for beginners is on {day} in {city} and costs $15.",
            "Our course for beginners is on {day} and costs $15[, with map and tent|].",
            "{name} teaches map and tent basics in {city} on {day}, beginners are welcome.",
        ),
    ),
    Intent(
        "jobs",
        (
            "Are you hiring[ in {city}|]?",
            "[Can|How can] I apply for a job[ at your store|]?",
            "I [would like|want] to work for you.",
        ),
        (
            "We look for people in most stores; send three lines to jobs@juniperpine.example.",
            "We look for people in {city}; send three lines about you to jobs@juniperpine.example.",
            "How nice! Open jobs are at the foot of our page, send three lines about you.",
        ),
    ),
    Intent(
        "about",
        (
            "Who are you?",
            "[Tell me|What can you tell me] about your shop.",
            "What [do you sell|can I buy here]?",
        ),
        (
            "We are Juniper & Pine, a small shop for outdoor gear with a repair workshop.",
            "I help customers of Juniper & Pine with gear, orders and repairs.",
        ),
    ),
    Intent(
        "greeting",
        (
            "[Hello|Hi|Hey|Good morning|Good evening][!|, anybody there?| there!]",
            "[Hello|Hi], [can you help me|I have a question].",
        ),
        (
            "Hello and welcome to Juniper & Pine! What can I do for you?",
            "[Hi|Hello] there! How can I help you [today|with your gear]?",
        ),
    ),
)

CLOSINGS = (
    (
        "[Thanks|Thank you|Great, thanks][!| a lot!| for the help.]",
        (
            "[You are very welcome|Happy to help|My pleasure, really]! [Enjoy the "
            "trails.|See you outside.|Have a good trip.]"
        ),
    ),
    (
        "That is all[, thanks|, thank you|].",
        "[Glad I could help.|Good to hear.] [Have a sunny day outside!|Until the next hike!]",
    ),
    ("[Perfect|Wonderful], [bye|goodbye]!", "Goodbye, and enjoy [your|every] day outside!"),
)
