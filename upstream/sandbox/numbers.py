"""What SMS numbers are for sale: projects by country, made from a seed."""

import random
from decimal import Decimal
from functools import lru_cache

import msgspec

from upstream.sandbox.sample_words import COUNTRIES, NATIONAL_NUMBERS, PROJECTS

DIAL_CODES = {code: dial for code, _name, dial in COUNTRIES}
COUNTRY_NAMES = {code: name for code, name, _dial in COUNTRIES}
SITES_AT_SEVERAL_PRICES = 12  # the first so many


class Project(msgspec.Struct, frozen=True, gc=False):
    """One project in one country; `price` is text with four decimals; `available` numbers are left."""

    project_id: str
    name: str
    price: str
    country_id: str
    country_title: str
    available: int
    another_offer: bool = False  # one more of the same website and country; only some suppliers list those

    def wire(self) -> dict[str, str]:
        """Return the row as `sms_projects` sends it."""
        return {
            "project_id": self.project_id,
            "name": self.name,
            "price": self.price,
            "country_id": self.country_id,
            "country_title": self.country_title,
        }


@lru_cache(maxsize=8)
def generate_projects(seed: int) -> dict[str, Project]:
    """Return all projects by their id; the first is the document's: OpenAI / ChatGPT in the United States at 0.5000.

    A project has an id of its own in every country; about three in a hundred have no numbers left.
    """
    rng = random.Random(f"numbers:{seed}")
    projects: dict[str, Project] = {}
    for place, (code, title, _dial) in enumerate(COUNTRIES):
        for rank, name in enumerate(PROJECTS):
            project_id = f"65f{rng.getrandbits(84):021x}"
            hundredths_of_cents = rng.randint(400, 4000) + (4000 if rank < 3 else 0)
            available = 0 if rng.random() < 0.03 else rng.randint(20, 900)
            if place == 0 and rank == 0:
                hundredths_of_cents, available = 5000, 500
            price = f"{hundredths_of_cents // 10_000}.{hundredths_of_cents % 10_000:04d}"
            projects[project_id] = Project(project_id, name, price, code, title, available)
    return projects


@lru_cache(maxsize=8)
def other_offers(seed: int) -> dict[str, Project]:
    """Return further offers of the first websites, by their ids: the same country, other prices, other numbers.

    One in three of those websites has one or two in a country, cheaper or dearer than the first.
    """
    rng = random.Random(f"offers:{seed}")
    names = PROJECTS[:SITES_AT_SEVERAL_PRICES]
    offers: dict[str, Project] = {}
    for first in generate_projects(seed).values():
        # The document's project has one whatever the dice say, so that there is always one to look at.
        usual = first.name == PROJECTS[0] and first.country_id == COUNTRIES[0][0]
        if first.name not in names or not (usual or rng.random() < 1 / 3):
            continue
        for _each in range(rng.choice((1, 1, 2))):
            price = (Decimal(first.price) * rng.randint(55, 240) / 100).quantize(Decimal("0.0001"))
            project_id = f"65f{rng.getrandbits(84):021x}"
            offers[project_id] = msgspec.structs.replace(
                first, project_id=project_id, price=str(price), available=rng.randint(5, 300), another_offer=True
            )
    return offers


def national_number(country: str, number: int) -> str:
    """Return a mobile number of the country as it is dialled at home; `number` has ten digits to choose from."""
    digits = iter(str(number))
    return "".join(next(digits) if place == "#" else place for place in NATIONAL_NUMBERS.get(country, "#" * 10))
