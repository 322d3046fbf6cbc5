"""What the settings read from the environment, found by reading the source: so that no list has to be kept by hand."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "accounts",
    "api",
    "catalog",
    "jobs",
    "notifications",
    "orders",
    "preferences",
    "privacy",
    "sms",
    "storefront",
    "support",
    "upstream",
    "wallet",
)


def modules() -> list[Path]:
    """Return every module of the apps, for rules that hold wherever something is done."""
    return [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]


@dataclass(frozen=True)
class Read:
    """One read of a variable; `default` is its text where the source states one plainly, else None."""

    name: str
    default: str | None


def settings_reads() -> dict[str, Read]:
    """Return every variable that storefront/settings.py and its configuration read, by name."""
    reads = {}
    folder = ROOT / "storefront"
    sources = [path.read_text() for path in (folder / "settings.py", *sorted((folder / "configuration").glob("*.py")))]
    for node in ast.walk(ast.parse("\n".join(sources))):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        of_env = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "env"
        of_beat = isinstance(node.func, ast.Name) and node.func.id == "_every"
        if of_env or of_beat:
            name = str(node.args[0].value)
            # env.parsed names the reader before the default.
            position = 2 if of_env and node.func.attr == "parsed" else 1  # type: ignore[attr-defined]  # see above
            reads[name] = Read(name, _text_of(node.args[position]) if len(node.args) > position else None)
    return reads


def example() -> dict[str, str]:
    """Return the variables of .env.example with the values written there; one behind a "#" counts."""
    variables = {}
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, separator, value = line.removeprefix("#").partition("=")
        if separator and name.isupper() and " " not in name:
            variables[name] = value
    return variables


def _text_of(node: ast.expr) -> str | None:
    if not isinstance(node, ast.Constant):
        return None
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
