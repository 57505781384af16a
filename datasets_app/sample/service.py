"""Questions after the purchase: returns, exchange, warranty, repair, complaints."""

from __future__ import annotations

from datasets_app.sample.intent import Intent

SERVICE = (
    Intent(
        "return",
        (
            "How do I [return|send back] the {thing}?",
            "I want to [return|send back] the {product}[ from order {order}|].",
            "The {thing} [{does} not suit me|{is} not what I expected], can I return {them}?",
            "How [does a return|do returns] work?",
        ),
        (
            (
                "You can return the {product} within 30 days: print the label in your account and "
                "hand the parcel to {courier}."
            ),
            (
                "[No problem|That is fine]. Pack the {thing}, use the return label from your "
                "account and drop it at {courier}."
            ),
            (
                "Returns are free for 30 days: print the label in your account and use any "
                "parcel shop."
            ),
            "Returns are free for 30 days. You can also bring the {thing} to {street} in {city}.",
        ),
        (
            ("When do I get the money?", "Three days after the {product} {is} back with us."),
            ("I have no printer.", "Then show the code on your phone, {courier} prints the label."),
        ),
    ),
    Intent(
        "refund_status",
        (
            "Where is my refund[ for order {order}|]?",
            "I returned the {thing} [two weeks ago|last {day}], when do I get my money?",
            "[Did|Has] my return [arrive|arrived]? I still wait for the refund.",
        ),
        (
            "Your return arrived on {day}, the refund of {price} reaches you within three days.",
            "The refund for the {product} went out on {day}; banks need up to three days.",
            "Your refund went out on {day}; the bank needs up to three days to show it.",
        ),
        (
            (
                "Which account does it go to?",
                "It goes back to the card that paid for the {product}.",
            ),
        ),
    ),
    Intent(
        "exchange",
        (
            "[Can|How can] I exchange the {thing} for another size?",
            "The {product} [{is} too small|{is} too big], I need {size}.",
            "I [got|received] the wrong colour and want {colour}.",
        ),
        (
            "We exchange the {product} for free: send {them} back and note {size} on the slip.",
            "[Sure|Of course]. I put {size} aside; send the first {thing} back within 30 days.",
            "We exchange it for free: send the first one back, {colour} is put aside for you.",
            "An exchange is free: send it back within 30 days and name the size on the slip.",
        ),
        (("Who pays for the parcel?", "We do, an exchange of the {product} costs you nothing."),),
    ),
    Intent(
        "warranty",
        (
            "How long is the warranty on the {thing}?",
            "What warranty {does} the {product} have?",
            "My {thing} broke after [a year|eight months], is that [covered|under warranty]?",
            "{is_cap} the {product} [still covered by the warranty|under warranty]?",
        ),
        (
            "The {product} {has} a warranty of {warranty}[ from the day of purchase|].",
            "You have {warranty} of warranty on the {thing}[, just keep the receipt|].",
            "Warranty on the {product}: {warranty}. It covers seams, zips and material.",
        ),
        (
            ("What is not covered?", "Normal wear and burns are not part of the warranty."),
            ("I lost the receipt.", "The order number is enough, we find the {product} with it."),
        ),
    ),
    Intent(
        "repair",
        (
            "[Can|Do] you repair my {thing}?",
            "The zip of my {product} is broken[, can you fix that|].",
            "There is a [hole|tear] in my {thing}.",
        ),
        (
            (
                "Our workshop in Greyford repairs the {product}; it takes two weeks and "
                "costs {repair}."
            ),
            "[We can fix that|Good news]: bring the {thing} to {city}, a repair costs {repair}.",
        ),
        (
            ("How long does it take?", "A repair of the {product} takes two weeks."),
            ("Is it worth it?", "We think so, a new {thing} would cost {price}."),
        ),
    ),
    Intent(
        "wrong_item",
        (
            "You sent me the {other} instead of the {product}.",
            "There is a wrong [item|thing] in my parcel {order}.",
            "I ordered {size} and got something else.",
        ),
        (
            (
                "Sorry for the mix-up! The {product} {leaves} today, please send the other "
                "one back free."
            ),
            "Sorry for the mix-up! {courier} collects the wrong parcel on {day} and brings yours.",
            (
                "[Our mistake|That was our fault]. Keep the parcel, {courier} collects it on {day} "
                "and brings the {product}."
            ),
        ),
        (("Do I pay anything?", "No, the mistake was ours, so we pay for both parcels."),),
    ),
    Intent(
        "complaint_service",
        (
            "I am [unhappy|disappointed] with your service.",
            "[Nobody|No one] answered my mail for a week!",
            "The person in {city} was [rude|not helpful at all].",
        ),
        (
            "I am sorry to hear that. Tell me what happened and our manager in {city} calls you.",
            "I am sorry to hear that. Tell me what happened and our manager calls you by {day}.",
            "That is not how we want to be. I passed it on and {name} will write to you by {day}.",
        ),
        (("I expect a real answer.", "You get one: {name} answers in person by {day}."),),
    ),
    Intent(
        "complaint_quality",
        (
            "The {product} {has} a [hole|loose seam|scratch] after one trip.",
            "I am not happy with the quality of the {thing}.",
            "My new {thing} already [came|fell] apart.",
        ),
        (
            (
                "I am sorry about the {thing}. With {warranty} of warranty we replace or "
                "repair {them}."
            ),
            "That must not happen to a {product_one}. Send a photo and choose repair or a new one.",
        ),
        (("I want a new one.", "Then we send a new {product} as soon as the photo is here."),),
    ),
    Intent(
        "recycle",
        (
            "What [can|do] I do with my old {thing}?",
            "Do you take back [used|old] gear?",
            "[Can|May] I bring my worn {product} to you for recycling?",
        ),
        (
            "Bring the old {thing} to any store, you get a voucher of $10 and we recycle {them}.",
            "Old gear goes into the box at every store: you get a voucher of $10, we recycle it.",
            "Yes, we take back worn gear; good pieces are repaired and sold second hand.",
            "We take the {product} back in {city}; good pieces are repaired and sold second hand.",
        ),
        (("Does it have to be clean?", "Yes please, clean and dry is all we ask for."),),
    ),
    Intent(
        "second_hand",
        (
            "Do you sell [second hand|used] gear?",
            "Is there a used {product_one} for sale?",
            "I would like a cheaper {thing_one}, maybe second hand.",
        ),
        (
            "Our second-hand corner is in {city}; a used {thing_one} costs about half of {price}.",
            "Yes, look for the label Second Trail[ in the web shop|]: used, checked, cheaper.",
            "Second-hand gear is at about half the price, online under Second Trail.",
        ),
        (("Is there a warranty too?", "Second-hand pieces have a warranty of one year."),),
    ),
    Intent(
        "product_review",
        (
            "Where can I [write|leave] a review for the {thing}?",
            "I love my {product} and want to [rate|review] {them}.",
        ),
        (
            "How nice! Open the page of the {product} and choose write a review at the bottom.",
            "Thank you! Reviews of the {thing} go below the photos[, three lines are enough|].",
        ),
    ),
    Intent(
        "thanks_praise",
        (
            "The {product} {is} [great|wonderful], thank you!",
            "[Just wanted to say|I must say] that your team in {city} was very kind.",
            "My {thing} survived a storm, [well done|great work]!",
        ),
        (
            "That makes our day, thank you! I will tell the team in {city}.",
            "That makes our day, thank you! Enjoy many more days outside.",
            "How lovely to read. Enjoy many more days outside with your {product}!",
        ),
    ),
)
