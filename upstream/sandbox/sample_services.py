"""What is on sale: the generated catalogs with the edits made since, ready to be sent.

Every row is kept encoded, so that an answer of 20,000 rows is one join; a change encodes one row anew.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from upstream.sandbox import catalog
from upstream.sandbox.catalog import DOCUMENTED_FIELDS, EXTRA_FIELDS, INNER_FIELDS, Item, wire_row
from upstream.sandbox.numbers import COUNTRY_NAMES, Project, generate_projects, other_offers
from upstream.sandbox.profiles import live as live_profile

SERVICE_FIELDS = frozenset(DOCUMENTED_FIELDS + EXTRA_FIELDS + INNER_FIELDS)
PROJECT_FIELDS = frozenset(Project.__struct_fields__) - {"another_offer"}
REMOVED = "removed"
ADDED = "added"

encode = msgspec.json.encode
SaveEdit = Callable[[str, str, dict[str, Any]], None]  # kind, id, edited fields


class SampleCatalog:
    """Services and SMS projects. `save_edit` is told of every edit, so that it outlives the process."""

    def __init__(self, *, size: int, seed: int, save_edit: SaveEdit) -> None:
        self._items = catalog.generate(size, seed)
        self._encoded = _encoded_items(size, seed)
        self._projects = {**generate_projects(seed), **other_offers(seed)}
        self._save_edit = save_edit
        self._edits: dict[int, dict[str, Any]] = {}
        self._edited: dict[int, bytes] = {}
        self._project_edits: dict[str, dict[str, Any]] = {}
        self._index: dict[tuple[str, str], list[int]] | None = None
        self._answers: dict[Any, bytes] = {}
        self._live_rows: dict[str, dict[int, bytes]] = {}  # by language

    def load(self, services: dict[str, dict[str, Any]], projects: dict[str, dict[str, Any]]) -> None:
        """Take over edits that were kept."""
        for service_id, fields in services.items():
            self._apply(int(service_id), fields)
        self._project_edits = dict(projects)

    # --- Services --------------------------------------------------------------------------------------------------
    def service(self, service_id: int, *, even_removed: bool = False) -> dict[str, Any] | None:
        """Return all fields of a service on sale, those that stay inside too, or None."""
        edits = self._edits.get(service_id, {})
        if edits.get(REMOVED) and not even_removed:
            return None
        if 1 <= service_id <= len(self._items):
            row = self._items[service_id - 1].fields()
        elif ADDED in edits:
            row = {}
        else:
            return None
        row.update((name, value) for name, value in edits.items() if name not in (ADDED, REMOVED))
        return row

    def edit_service(self, service_id: int, fields: dict[str, Any]) -> None:
        """Change fields of a service; the values go out as given, wrong ones too.

        Raises KeyError for an unknown service, ValueError for an unknown field.
        """
        if self.service(service_id, even_removed=True) is None:
            raise KeyError(service_id)
        _only_known(fields, SERVICE_FIELDS - {"service"} | {REMOVED})
        merged = {**self._edits.get(service_id, {}), **fields}
        self._apply(service_id, merged)
        self._save_edit("service", str(service_id), merged)

    def add_service(self, fields: dict[str, Any]) -> int:
        """Put a new service on sale and return its id; what is not given gets a usual value.

        Raises ValueError for an unknown field and for an id that is taken.
        """
        _only_known(fields, SERVICE_FIELDS)
        highest = max([len(self._items), *self._edits])
        service_id = int(fields.get("service", highest + 1))
        if self.service(service_id, even_removed=True) is not None or service_id < 1:
            raise ValueError(f"service: {service_id} is taken")
        category = fields.get("category", "Instagram")
        kind = fields.get("kind", catalog.kind_of(category))
        item = Item(
            service=service_id, name="Added service", type="Default", category=category, rate="1.00", min=10,
            max=10_000, refill=False, cancel=False, stock=1_000_000,
            subcategory=catalog.first_subcategory(category), kind=kind, rate_per=catalog.PIECES_PER_RATE[kind],
        )  # fmt: skip
        edits = {**item.fields(), **fields, "service": service_id, ADDED: True}
        self._apply(service_id, edits)
        self._save_edit("service", str(service_id), edits)
        return service_id

    def move_stock(self, service_id: int, pieces: int) -> None:
        """Add pieces to the stock (take them, when negative); an unlimited stock stays unlimited."""
        row = self.service(service_id, even_removed=True)
        if row is not None and isinstance(row["stock"], int):
            self.edit_service(service_id, {"stock": max(0, row["stock"] + pieces)})

    def categories(self, live: str | None = None) -> list[dict[str, Any]]:
        """Return the categories that have services, each with its subcategories, as `categories` sends them.

        Here and below, `live` is the language of the names ("" for English) on a sandbox with that profile.
        """
        grouped: dict[str, list[str]] = {}
        for category, subcategory in self._by_place():
            grouped.setdefault(category, []).append(subcategory)
        rows = [{"category": name, "subcategories": subs} for name, subs in grouped.items()]
        return rows if live is None else [live_profile.category_row(row, live) for row in rows]

    def services_answer(
        self, *, page: int, limit: int, category: str | None, subcategory: str | None, live: str | None = None
    ) -> bytes:
        """Return the encoded answer of `services`; a limit of 0 means all rows on one page."""
        asked = (page, limit, category, subcategory, live)
        answer = self._answers.get(asked)
        if answer is None:
            ids = self._matching(category, subcategory)
            total = len(ids)
            if limit:
                pages = -(-total // limit)
                rows = ids[(page - 1) * limit : page * limit]
            else:
                page, limit, pages, rows = 1, total, 1, ids
            tail = encode({"total": total, "page": page, "limit": limit, "total_pages": pages})
            answer = b'{"services":[' + b",".join(self._rows(rows, live)) + b"]," + tail[1:]
            if len(self._answers) > 1000:
                self._answers.clear()
            self._answers[asked] = answer
        return answer

    def _matching(self, category: str | None, subcategory: str | None) -> list[int]:
        places = self._by_place()
        if category and subcategory:
            return places.get((category, subcategory), [])
        found = [
            ids
            for (its_category, its_subcategory), ids in places.items()
            if category in (None, "", its_category) and subcategory in (None, "", its_subcategory)
        ]
        return sorted(id_ for ids in found for id_ in ids)

    def _rows(self, ids: Iterable[int], live: str | None) -> list[bytes]:
        edited, encoded = self._edited, self._encoded
        if live is None:
            return [edited[id_] if id_ in edited else encoded[id_ - 1] for id_ in ids]
        rows = self._live_rows.setdefault(live, {})
        for id_ in ids:
            if id_ not in rows and (fields := self.service(id_)) is not None:
                rows[id_] = encode(live_profile.service_row(fields, live))
        return [rows[id_] for id_ in ids]

    def _by_place(self) -> dict[tuple[str, str], list[int]]:
        if self._index is None:
            index: dict[tuple[str, str], list[int]] = {}
            for item in self._items:
                if item.service not in self._edits:
                    index.setdefault((item.category, item.subcategory), []).append(item.service)
            for service_id in sorted(self._edits):
                row = self.service(service_id)
                if row is not None:
                    index.setdefault((row["category"], row["subcategory"]), []).append(service_id)
            for ids in index.values():
                ids.sort()
            # Edited rows come last above; by first id, so that an edit does not reorder the categories.
            self._index = dict(sorted(index.items(), key=lambda place: place[1][0]))
        return self._index

    def _apply(self, service_id: int, fields: dict[str, Any]) -> None:
        before = self.service(service_id)
        self._edits[service_id] = fields
        after = self.service(service_id)
        if after is not None:
            self._edited[service_id] = encode(wire_row(after))
        if _place(before) != _place(after):
            self._index = None
        for rows in self._live_rows.values():
            rows.pop(service_id, None)
        self._answers.clear()

    # --- SMS numbers -----------------------------------------------------------------------------------------------
    def project(self, project_id: str, *, every_offer: bool = True) -> Project | None:
        """Return the project on sale with this id, or None; without `every_offer` only the first of its website."""
        project = self._projects.get(project_id)
        if project is not None and project.another_offer and not every_offer:
            return None
        edits = self._project_edits.get(project_id)
        if project is None or not edits:
            return project
        if edits.get(REMOVED):
            return None
        return msgspec.structs.replace(project, **{name: value for name, value in edits.items() if name != REMOVED})

    def edit_project(self, project_id: str, fields: dict[str, Any]) -> None:
        """Change fields of a project. Raises KeyError for an unknown project, ValueError for an unknown field."""
        if project_id not in self._projects:
            raise KeyError(project_id)
        _only_known(fields, PROJECT_FIELDS - {"project_id"} | {REMOVED})
        merged = {**self._project_edits.get(project_id, {}), **fields}
        self._project_edits[project_id] = merged
        self._answers.clear()
        self._save_edit("project", project_id, merged)

    def projects_answer(self, country: str | None, live: str | None = None) -> bytes:
        """Return the encoded bare array of `sms_projects`, of one country or of all."""
        asked = ("projects", country or "", live)
        if asked not in self._answers:
            on_sale = (self.project(project_id, every_offer=live is not None) for project_id in self._projects)
            found = [project for project in on_sale if project and country in (None, "", project.country_id)]
            rows = [project.wire() if live is None else live_profile.project_row(project, live) for project in found]
            self._answers[asked] = encode(rows)
        return self._answers[asked]

    def countries(self, live: str | None = None) -> list[dict[str, str]]:
        """Return the countries that have projects, as `sms_countries` sends them."""
        on_sale = (self.project(project_id) for project_id in self._projects)
        codes = dict.fromkeys(project.country_id for project in on_sale if project)
        rows = [{"country_code": code, "country_name": COUNTRY_NAMES.get(code, code)} for code in codes]
        return rows if live is None else [live_profile.country_row(row, live) for row in rows]


_encoded_catalogs: dict[tuple[int, int], list[bytes]] = {}


def _encoded_items(size: int, seed: int) -> list[bytes]:
    """The encoded rows of an unedited catalog; a few catalogs are kept, so that a reset costs nothing."""
    rows = _encoded_catalogs.get((size, seed))
    if rows is None:
        if len(_encoded_catalogs) >= 4:
            _encoded_catalogs.clear()
        rows = [encode(wire_row(item.fields())) for item in catalog.generate(size, seed)]
        _encoded_catalogs[size, seed] = rows
    return rows


def _place(row: dict[str, Any] | None) -> tuple[str, str] | None:
    return None if row is None else (row["category"], row["subcategory"])


def _only_known(fields: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"no such field: {', '.join(unknown)}")
