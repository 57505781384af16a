"""Two small sets side by side: eight conversations as they should be, eight as they should not."""

from __future__ import annotations

GOOD_PAIRS = (
    (
        "Do you ship the Ridge tent to Norway?",
        "Yes. A parcel to Norway takes five to seven working days and costs $18.",
    ),
    (
        "How do I clean my Boulder hiking boots?",
        "Brush off the mud, let them dry in the shade, and rub in wax when the leather looks dull.",
    ),
    (
        "I forgot my password and cannot see my order.",
        "Choose “forgot password” on the login page. The link in the mail is good for one hour.",
    ),
    (
        "Which sleeping mat keeps me warm in autumn?",
        "Take the Willow sleeping mat: five centimetres of foam keep the cold ground away.",
    ),
    (
        "The zip of my backpack is broken. What now?",
        "Bring it to any of our stores. A new zip takes two weeks and costs less than $30.",
    ),
    (
        "Is your store in Elmbridge open on Sunday?",
        "No, it rests on Sunday and opens Monday at 9 am.",
    ),
    (
        "Can I send back a jacket that I wore once?",
        "You can, within 30 days, as long as it is clean and dry and the label is still there.",
    ),
    (
        "What is a good first hike near Greyford?",
        "Try the river path: four flat miles, a bakery halfway, and a bus back to the station.",
    ),
)

BAD_PAIRS = (
    ("How do I return my order?", ""),
    ("Please tell me how to wash the fleece.", "ok you"),
    ("Where can I see your new tents?", "see our tents see our tents see our tents see our tents"),
    ("My stove does not light, please help me.", "qwer asdf zxcv uiop hjkl"),
    (
        "Please describe how I can track the parcel that I ordered.",
        "Please describe how I can track the parcel that I ordered.",
    ),
    ("How do I join the Pine Club?", "You can join the club in every store and on the"),
    ("What should I pack for a weekend in the hills?", "#### %%% &&& ~~~ ^^^ ##### !!! @@@ $$$$ x"),
    ("Tell me about the guided walks.", "http://"),
)
