"""Questions about the goods: price, size, colour, stock, material, care, use."""

from __future__ import annotations

from datasets_app.sample.intent import Intent

GOODS = (
    Intent(
        "price",
        (
            "[What|How much] {does} the {thing} cost?",
            "How much {is} the {product}?",
            "[Can|Could] you tell me the price of the {thing}?",
            "What do I pay for the {product} [at the moment|right now|today]?",
            "I [saw|found] the {thing} in {city}, how much do you [want|ask] for {them}?",
        ),
        (
            "The {product} {costs} {price}[, tax included| with tax|].",
            (
                "You pay {price} for the {product}[ in our shop and online|, the same in "
                "every store|]."
            ),
            "{price} [all in|including tax]. The {product} {comes} with a warranty of {warranty}.",
        ),
        (
            (
                "Is there a discount for students?",
                "Students get ten percent off the {product} with a valid card.",
            ),
            (
                "Is that the final price?",
                "It is: {price} includes tax, only delivery comes on top.",
            ),
        ),
    ),
    Intent(
        "size_advice",
        (
            "Which size [should|do] I take in the {thing}?",
            "How {does} the {product} fit?",
            "I am [not sure|unsure] about the size of the {thing}.",
            "{does_cap} the {thing} run small or large?",
            "I [usually|normally] wear {size}, what fits me in the {product}?",
        ),
        (
            "About the fit of the {product}: {fit}.",
            "[Good question|A common question|Happy to help]! For the {product}, {fit}.",
            "Our fitters say this about the {thing}: {fit}. Exchanges of size are free.",
        ),
        (
            (
                "And if the size is wrong?",
                "Then send the {thing} back within 30 days and we exchange {them} for free.",
            ),
            (
                "Is there a size chart?",
                "Yes, under the photos of the {product} you find the chart.",
            ),
        ),
    ),
    Intent(
        "colours",
        (
            "[Which|What] colours {does} the {thing} come in?",
            "[Do you have|Have you got] the {product} in {colour}?",
            "I would [like|love] {colour_thing}, do you sell that?",
            "[Can|Could] I get the {thing} in another colour?",
        ),
        (
            "The {product} {comes} in {colours}.",
            "You can choose the {product} in {colours}[ at the same price|].",
            "We [make|sell] the {thing} in {colours}, other shades are not planned.",
        ),
        (("Which one do most people take?", "Most customers take the {product} in {colour}."),),
    ),
    Intent(
        "stock",
        (
            "{is_cap} the {product} in stock?",
            "[Do you still have|Have you still got] the {thing} in {city}?",
            "[Can|Could] you check [whether|if] the {thing} {is} available in {city}?",
            "When will the {product} be back [in stock|on the shelf]?",
        ),
        (
            "The {city} store has {few} of the {product} left[, and the web shop has more|].",
            "[Let me look|One moment|I checked]: {few} pieces of the {product} are in {city}.",
            "[Let me look|One moment|I checked]: {few} pieces of the {product} are in stock.",
            "The {product} {is} back on {day}[ in {city}|], we can [reserve|hold] one for you.",
        ),
        (
            (
                "Can you put one aside for me?",
                "Done, the {thing} {is} at the desk under the name {name} until {day}.",
            ),
            ("And online?", "Online the {product} {is} ready to ship within one day."),
        ),
    ),
    Intent(
        "material",
        (
            "What {is} the {thing} made of?",
            "[Which|What] material do you use for the {product}?",
            "{is_cap} the {thing} made from recycled [stuff|material]?",
            "[Tell me|I would like to know] what the {product} {is} made from.",
        ),
        (
            "The {product} {is} made of {material}.",
            "[We use|Our makers use] {material} for the {product}.",
            (
                "{material_cap}: that is what the {thing} {is} made from[, without plastic "
                "bags around it|]."
            ),
        ),
        (
            ("Is that vegan?", "Ask us per product, the label of the {product} names every fibre."),
            ("Where is it made?", "The {product} {is} made in our workshop near Greyford."),
        ),
    ),
    Intent(
        "weight",
        (
            "How heavy {is} the {thing}?",
            "What {does} the {product} weigh?",
            "[I count every gram|I travel light], what is the weight of the {thing}?",
            "[Can|Could] you tell me the weight of the {product}?",
        ),
        (
            "The {product} {weighs} {weight}.",
            "[On our scales|With everything packed] the {thing} {comes} to {weight}.",
            "{weight} is the weight of the {product}[, packed and ready|].",
        ),
        (("Is there something lighter?", "Not yet, at {weight} the {product} {is} our lightest."),),
    ),
    Intent(
        "care",
        (
            "How do I [wash|clean] the {thing}?",
            "[What is|What's] the best way to [clean|care for] the {product}?",
            "Can the {thing} go into the [washing machine|machine]?",
            "The {product} got [dirty|muddy] on my last trip, what [now|can I do]?",
            "[Any|Do you have] care instructions for the {thing}?",
        ),
        (
            "For the {product} please {care}.",
            "[Easy|No worries|That is simple]: {care}. The {thing} will thank you for it.",
            "We [suggest|recommend] this for the {thing}: {care}.",
        ),
        (
            ("How often should I do that?", "Twice a year is enough for the {product}."),
            (
                "Do you sell the right cleaner?",
                "Yes, the green bottle at every desk suits the {thing} well.",
            ),
        ),
    ),
    Intent(
        "waterproof",
        (
            "{is_cap} the {product} waterproof?",
            "[Can|May] I take the {thing} out in [heavy|strong] rain?",
            "[How well|How long] {does} the {thing} keep water out?",
        ),
        (
            "[A shower|Light rain] is no problem for the {product}, as {material} dries fast.",
            "The {thing} [handles|stands] rain thanks to {material}; use our spray once a year.",
        ),
        (
            (
                "Which spray do you mean?",
                "The plant-based spray for $14, it also suits the {thing}.",
            ),
        ),
    ),
    Intent(
        "recommend",
        (
            "[What|Which gear] do you [recommend|suggest] for {use}?",
            "I need something for {use}, any [ideas|tips]?",
            "[I am planning|I have in mind] {use}, what should I buy?",
            "What is good for {use}?",
        ),
        (
            "For {use} we [recommend|suggest] the {product} at {price}.",
            "Take the {product}: {they} {is} made for {use} and {costs} {price}.",
            "[Many customers|Most of our team] choose the {product} for {use}.",
        ),
        (
            ("Why that one?", "Because it is made for {use}, of {material}."),
            ("Can I try it first?", "You can try the {product} in every store."),
        ),
    ),
    Intent(
        "compare",
        (
            "Should I take the {product} or the {other}?",
            "What is better for {use}, the {thing} or the {other}?",
            "I cannot decide between the {product} and the {other}.",
        ),
        (
            "For {use} take the {product}; the {other} is meant for something else.",
            "The {product} {is} right for {use}. Choose the {other} only if you have both in mind.",
        ),
    ),
    Intent(
        "spare_parts",
        (
            "[Do you sell|Can I buy] spare parts for the {thing}?",
            "I lost a [part|piece] of my {product}, can I [order|get] it [alone|separately]?",
            "Where do I find a replacement part for the {thing}?",
        ),
        (
            "Spare parts for the {product} are [in the web shop|online] under the letter P.",
            (
                "[Yes we do|We do]: write the part of the {thing} you need to our workshop "
                "in Greyford."
            ),
        ),
        (("What do they cost?", "Most parts of the {product} cost less than ten dollars."),),
    ),
    Intent(
        "rental",
        (
            "Can I [rent|borrow] the {thing} for a weekend?",
            "[Do you|Does your shop] rent out the {product}?",
            "I only need the {thing} once, is there a rental?",
        ),
        (
            "You can rent the {product} in every store, a weekend costs {rent}.",
            "[Rental is possible|We rent them]: {rent} for a weekend with the {thing}.",
        ),
        (("Do I pay a deposit?", "Yes, a deposit of $50 for the {product}, back on return."),),
    ),
)
