"""Questions about orders, delivery and payment."""

from __future__ import annotations

from datasets_app.sample.intent import Intent

ORDERS = (
    Intent(
        "order_status",
        (
            "Where is my order {order}?",
            "[Has|Did] my {thing} [left|leave] your warehouse yet? The order is {order}.",
            "I ordered the {product} on {day}, [any news|what is the status]?",
            "[Can|Could] you [check|look up] order {order} for me?",
            "My order {order} [has not arrived|is still not here].",
        ),
        (
            "Order {order} left our warehouse on {day} and travels with {courier}.",
            "[I checked|I looked it up]: order {order} is packed and leaves on {day}.",
            "[I checked|I looked it up]: your {product} {is} packed and {leaves} on {day}.",
            "Your order {order} is on its way; {courier} [plans|expects] to bring it on {day}.",
        ),
        (
            (
                "[Can I track it|Is there a tracking link]?",
                "Yes, the link of {courier} is in the mail that we sent on {day}.",
            ),
            ("What if nobody is at home?", "Then {courier} tries again on the next working day."),
        ),
    ),
    Intent(
        "order_cancel",
        (
            "[Can|How can] I cancel my order {order}?",
            "Please cancel order {order}, I [bought|chose] the wrong {thing}.",
            "I [changed my mind|do not need it any more], stop order {order} please.",
        ),
        (
            "Order {order} is cancelled[ and nothing will be charged|, you get a mail about it].",
            "[Done|No problem], I cancelled {order}. The money returns within three days.",
            "[Done|Sure], order {order} is cancelled and the money returns within three days.",
        ),
        (
            (
                "Do I get [my money|everything] back?",
                "Yes, the full amount goes back the way you paid.",
            ),
        ),
    ),
    Intent(
        "order_change",
        (
            "I want to change order {order}, [please make it|can I have] {size} instead.",
            "[Can|Could] you add the {other} to my order {order}?",
            "[Is it possible|May I] [to change|change] the colour in order {order} to {colour}?",
        ),
        (
            "I changed order {order}[ for you|], the new confirmation is in your mail.",
            "That works until the parcel is packed. Order {order} is changed as you asked.",
        ),
        (("Does it take longer now?", "No, order {order} still leaves on {day}."),),
    ),
    Intent(
        "address_change",
        (
            "I moved, [can|could] you send order {order} to {city}?",
            "The delivery address of order {order} is wrong.",
            "[How|Where] do I change my delivery address?",
        ),
        (
            (
                "I can change the address until the parcel leaves. Please send me the street "
                "in {city}."
            ),
            "The address can change until the parcel leaves. Please tell me the new street.",
            "Open your account, choose addresses and save the new one[ before {day}|].",
        ),
        (("Here it is: 5 Garden Row.", "Thank you, the parcel now goes to 5 Garden Row."),),
    ),
    Intent(
        "delivery_time",
        (
            "How long does delivery [to {country} take|take to {country}]?",
            "When [will|would] a parcel [arrive in|reach] {country}?",
            "I live in {country}, how many days does shipping take?",
        ),
        (
            "A parcel to {country} takes {ship_days} working days.",
            "Delivery to {country} takes {ship_days} working days[ with {courier}|].",
            "[Count|Plan] with {ship_days} working days until it reaches {country}.",
        ),
        (
            ("What does it cost?", "Shipping to {country} is {ship_fee} per parcel."),
            ("Is there an express service?", "Express to {country} takes two days and costs $39."),
        ),
    ),
    Intent(
        "delivery_cost",
        (
            "What [does|would] shipping to {country} cost?",
            "How much is delivery to {country}?",
            "Do you [ship|deliver] to {country}, and at what price?",
        ),
        (
            "Shipping to {country} costs {ship_fee}[, from $150 it is free|].",
            "We deliver to {country} for {ship_fee}[ per parcel| whatever the weight|].",
        ),
        (("And how long does it take?", "It takes {ship_days} working days to {country}."),),
    ),
    Intent(
        "pickup",
        (
            "Can I pick up my order [in|at the store in] {city}?",
            "[I would rather|I want to] collect the {thing} in {city}.",
            "Do you offer [click and collect|store pickup] in {city}?",
        ),
        (
            "Yes, choose pickup in {city}; the store at {street} keeps your parcel for ten days.",
            "[Gladly|Of course]: your parcel waits at {street} in {city} from {day} on.",
        ),
        (("What do I bring along?", "Bring the order number and a photo of your passport."),),
    ),
    Intent(
        "parcel_lost",
        (
            "{courier} says [delivered|my parcel was delivered], but I have nothing.",
            "My parcel seems to be lost, the order is {order}.",
            "[I have been waiting|I wait] for {order} for three weeks now.",
        ),
        (
            (
                "[I am sorry|Sorry about that]. I [opened|started] a search with {courier} "
                "for {order}, you hear from us by {day}."
            ),
            "[I am sorry|Sorry]! I [opened|started] a search, you hear from us by {day}.",
            "That should not happen. If {courier} finds nothing by {day}, we send it all again.",
        ),
        (("And if it is really gone?", "Then you get a second parcel or your money back."),),
    ),
    Intent(
        "parcel_damaged",
        (
            "The parcel [arrived|came] [crushed|wet], what [do I do|now]?",
            "The box of order {order} was torn open.",
            "[My|The] {thing} arrived damaged[ yesterday| today|].",
        ),
        (
            "[I am sorry|What a pity]! Keep the box and send us two photos, we replace everything.",
            "[I am sorry|What a pity]! Please keep the box and send two photos of the {thing}.",
            "Send photos of the box for {order}, then we [send|ship] a fresh parcel on {day}.",
        ),
        (("Where do the photos go?", "Reply to the confirmation of your order and attach them."),),
    ),
    Intent(
        "payment_methods",
        (
            "How can I pay[ in your shop| online|]?",
            "[Which|What] payment methods do you [take|accept]?",
            "[Can|May] I pay [by invoice|with a credit card|in cash]?",
        ),
        (
            (
                "You can pay by card, by bank transfer or with a gift card[; cash works in "
                "our stores|]."
            ),
            "We [take|accept] cards, bank transfer and gift cards[, but no cheques|].",
        ),
        (("Is it safe to pay by card?", "Yes, your card data goes only to the payment service."),),
    ),
    Intent(
        "payment_failed",
        (
            "My [payment|card] was [declined|refused].",
            "The payment for order {order} [did not go through|failed].",
            "I cannot pay, the page [shows an error|keeps loading].",
        ),
        (
            "Please try again with another card; your basket stays reserved until {day}.",
            "Please try once more with another card; order {order} stays reserved until {day}.",
            "The bank [refused|stopped] it. Confirm the payment in your banking app and try again.",
        ),
        (("Was I charged twice?", "No, a failed payment is never charged."),),
    ),
    Intent(
        "invoice",
        (
            "I need an invoice for order {order}.",
            "[Where|How] do I [find|get] the [invoice|receipt] for my {thing}?",
            "[Can|Could] you send me the invoice again?",
        ),
        (
            "The invoice for {order} is in your account under documents[, as a PDF|].",
            "Every invoice is in your account under documents[, as a PDF|].",
            "I [just sent|have sent] the invoice for the {product} to your mail address.",
        ),
        (("Can you put my company on it?", "Yes, tell me its name and I write a new invoice."),),
    ),
    Intent(
        "gift_wrap",
        (
            "[Can|Could] you wrap the {thing} as a gift?",
            "The {product} {is} a present for {name}, do you offer wrapping?",
            "Is there gift wrapping?",
        ),
        (
            "We wrap the {product} in printed cotton for $4[ and add a card|].",
            "[With pleasure|Gladly]! Choose gift wrapping in the basket, printed cotton for $4.",
            "[With pleasure|Gladly]! Tick gift wrapping at the checkout, it costs $4.",
        ),
        (("Can I add a few words?", "Yes, write up to forty words, we put them on a card."),),
    ),
)
