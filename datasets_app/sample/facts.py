"""What is true in Juniper & Pine, an invented shop for outdoor gear."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """A thing for sale; `thing` is the word that customers use for it."""

    name: str
    thing: str
    price: int
    material: str
    care: str
    warranty: str
    weight: str
    colours: tuple[str, ...]
    fit: str
    use: str
    is_plural: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """A shop in a town, with its hours and the day on which it stays closed."""

    city: str
    street: str
    opens: str
    closes: str
    closed: str
    parking: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country that parcels go to."""

    name: str
    days: str
    fee: str


@dataclass(frozen=True, slots=True)
class Shop:
    """What is true at one time; all else that the sample says is true at any."""

    products: tuple[Product, ...]
    stores: tuple[Store, ...]
    countries: tuple[Country, ...]


PRODUCTS = (
    Product(
        "Ridge tent",
        "tent",
        289,
        "ripstop nylon with aluminium poles",
        "wipe it with a damp sponge and let it dry before you pack it",
        "five years",
        "2.4 kg",
        ("green", "orange"),
        "it sleeps two people with their bags",
        "windy three-season camps",
    ),
    Product(
        "Fern sleeping bag",
        "sleeping bag",
        149,
        "recycled polyester filling",
        "wash it at 30 degrees in a large machine and dry it slowly",
        "three years",
        "1.3 kg",
        ("blue", "red"),
        "the long version suits people above 185 cm",
        "nights down to 2 degrees",
    ),
    Product(
        "Alder backpack",
        "backpack",
        119,
        "waxed cotton and recycled nylon",
        "brush it out and renew the wax once a year",
        "ten years",
        "1.6 kg",
        ("brown", "green", "black"),
        "the back length adjusts from 42 to 52 cm",
        "weekend hikes",
    ),
    Product(
        "Brook rain jacket",
        "rain jacket",
        179,
        "a three-layer membrane",
        "wash it at 30 degrees without softener and renew the coating",
        "two years",
        "420 g",
        ("yellow", "navy"),
        "it runs a little wide, so take your usual size",
        "long rainy days",
    ),
    Product(
        "Heather fleece",
        "fleece",
        79,
        "brushed recycled fleece",
        "wash it cold inside out and hang it up to dry",
        "two years",
        "340 g",
        ("grey", "purple"),
        "it runs small, so take one size up",
        "cool evenings",
    ),
    Product(
        "Boulder hiking boots",
        "boots",
        199,
        "full-grain leather",
        "brush off the mud and rub in wax when the leather looks dry",
        "two years",
        "1.1 kg",
        ("brown", "black"),
        "they run small, so order half a size up",
        "rocky paths",
        is_plural=True,
    ),
    Product(
        "Larch trekking poles",
        "poles",
        69,
        "carbon with cork handles",
        "pull them apart after rain and let the tubes dry",
        "three years",
        "390 g",
        ("black", "red"),
        "they extend from 100 to 135 cm",
        "steep descents",
        is_plural=True,
    ),
    Product(
        "Ember camping stove",
        "stove",
        59,
        "stainless steel and brass",
        "clean the burner with a dry brush and never under water",
        "five years",
        "210 g",
        ("silver", "black"),
        "it carries pots of up to two litres",
        "quick hot meals",
    ),
    Product(
        "Moss wool socks",
        "socks",
        19,
        "merino wool",
        "wash them at 30 degrees in the wool cycle",
        "one year",
        "80 g",
        ("green", "grey"),
        "they stretch over two shoe sizes",
        "warm dry feet",
        is_plural=True,
    ),
    Product(
        "Cedar headlamp",
        "headlamp",
        45,
        "aluminium",
        "wipe it dry and charge it every three months",
        "three years",
        "95 g",
        ("black", "orange"),
        "the strap fits every head and most helmets",
        "walks after dark",
    ),
    Product(
        "Willow sleeping mat",
        "sleeping mat",
        89,
        "foam in a polyester cover",
        "store it unrolled with the valve open",
        "five years",
        "780 g",
        ("blue", "grey"),
        "it is 183 cm long and 5 cm thick",
        "sleeping on cold ground",
    ),
    Product(
        "Finch trail shoes",
        "trail shoes",
        129,
        "mesh with a rubber sole",
        "rinse them with cold water and dry them away from heaters",
        "one year",
        "560 g",
        ("red", "blue"),
        "they fit true to size",
        "fast forest runs",
        is_plural=True,
    ),
    Product(
        "Otter dry bag",
        "dry bag",
        29,
        "welded vinyl-free fabric",
        "rinse it with fresh water after a trip to the sea",
        "three years",
        "150 g",
        ("yellow", "blue"),
        "it holds 20 litres",
        "canoe tours",
    ),
    Product(
        "Spruce trekking trousers",
        "trousers",
        99,
        "stretch softshell",
        "wash them at 40 degrees with closed zips",
        "two years",
        "450 g",
        ("grey", "green"),
        "they come in short, regular and long",
        "climbs in changing weather",
        is_plural=True,
    ),
    Product(
        "Clover sun hat",
        "sun hat",
        35,
        "organic cotton",
        "wash it by hand and dry it in shape",
        "one year",
        "70 g",
        ("beige", "navy"),
        "measure your head, the sizes go from 54 to 62 cm",
        "bright summer days",
    ),
    Product(
        "Wren down vest",
        "down vest",
        139,
        "certified goose down",
        "wash it alone at 30 degrees and tumble dry it with two tennis balls",
        "two years",
        "260 g",
        ("black", "red"),
        "it fits close, so take one size up over a fleece",
        "frosty mornings",
    ),
)

STORES = (
    Store(
        "Elmbridge",
        "12 Mill Lane",
        "9 am",
        "6 pm",
        "Sunday",
        "behind the house, free for two hours",
    ),
    Store("Northwick", "4 Harbour Street", "10 am", "7 pm", "Monday", "in the harbour garage"),
    Store("Greyford", "31 Station Road", "9 am", "5 pm", "Wednesday", "in front of the door"),
    Store("Port Linden", "8 Lighthouse Square", "10 am", "8 pm", "Tuesday", "on the market square"),
    Store(
        "Millhaven",
        "77 Old Bridge Road",
        "8 am",
        "6 pm",
        "Sunday",
        "in the yard, follow the fox sign",
    ),
    Store(
        "Ashcombe",
        "2 Castle Hill",
        "11 am",
        "7 pm",
        "Monday",
        "below the castle, five minutes away",
    ),
)

COUNTRIES = (
    Country("Ireland", "three to four", "$9"),
    Country("Norway", "five to seven", "$18"),
    Country("Austria", "four to five", "$12"),
    Country("Portugal", "five to six", "$13"),
    Country("Canada", "eight to ten", "$29"),
    Country("Iceland", "six to eight", "$24"),
    Country("Poland", "four to six", "$11"),
    Country("Japan", "nine to twelve", "$35"),
)

SHOP = Shop(PRODUCTS, STORES, COUNTRIES)

NAMES = tuple(
    "Amira Ben Carla Dmitri Elsa Farid Greta Hugo Ines Jonas Kavya Luca Marta Nils Olga".split()
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
CODES = ("PINE10", "SUMMIT15", "FIRSTHIKE", "AUTUMN20", "TRAIL5")
COURIERS = ("ParcelFox", "GreenVan", "SwiftMail")
SIZES = ("small", "medium", "large", "extra large")
AMOUNTS = ("$25", "$50", "$75", "$100")
