"""What SMS numbers are for sale: projects by country, made from a seed."""

import random
from functools import lru_cache

import msgspec

from upstream.sandbox.sample_words import COUNTRIES, PROJECTS

DIAL_CODES = {code: dial for code, _name, dial in COUNTRIES}
COUNTRY_NAMES = {code: name for code, name, _dial in COUNTRIES}


class Project(msgspec.Struct, frozen=True, gc=False):
    """One project in one country; `price` is text with four decimals; `available` numbers are left."""

    project_id: str
    name: str
    price: str
    country_id: str
    country_title: str
    available: int

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
