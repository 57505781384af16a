"""The same shop a season later: a few facts changed, everything else is as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from datasets_app.sample.facts import COUNTRIES, PRODUCTS, SHOP, STORES, Shop

CHANGES: dict[str, dict[str, Any]] = {
    "Ridge tent": {"price": 319},
    "Fern sleeping bag": {"price": 159},
    "Cedar headlamp": {"price": 39, "weight": "88 g"},
    "Alder backpack": {"warranty": "fifteen years"},
    "Brook rain jacket": {"colours": ("yellow", "teal")},
    "Heather fleece": {"fit": "it is cut wider now, so take your usual size"},
    "Otter dry bag": {"fit": "it holds 25 litres"},
    "Moss wool socks": {"material": "alpaca wool"},
    "Elmbridge": {"opens": "8 am", "closes": "7 pm"},
    "Greyford": {"street": "5 Weaver Street"},
    "Ashcombe": {"closed": "Thursday"},
    "Port Linden": {"parking": "on the roof of the fish hall"},
    "Norway": {"fee": "$21"},
    "Iceland": {"fee": "$19"},
    "Japan": {"days": "seven to nine"},
}

SECOND_SHOP = Shop(
    products=tuple(replace(one, **CHANGES.get(one.name, {})) for one in PRODUCTS),
    stores=tuple(replace(one, **CHANGES.get(one.city, {})) for one in STORES),
    countries=tuple(replace(one, **CHANGES.get(one.name, {})) for one in COUNTRIES),
)
SHOPS = (SHOP, SECOND_SHOP)
