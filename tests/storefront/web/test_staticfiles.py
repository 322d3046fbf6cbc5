"""What production serves: one stylesheet, under a name that changes with its content."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command

from storefront.web.staticfiles import ImportNotFound, bundle

COMPONENTS = django_settings.BASE_DIR / "static/css/components"


@pytest.fixture
def collected(tmp_path: Path, settings: Any) -> Path:
    """The folder of all collected files, stored as production does."""
    return collect(tmp_path, settings)


def collect(folder: Path, settings: Any) -> Path:
    """Collect all files into this folder, stored as production does, and have pages name them; return the folder."""
    settings.STATIC_ROOT = folder
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "storefront.web.staticfiles.BundledStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return folder


def test_collectstatic_puts_every_component_into_the_one_stylesheet(collected: Path) -> None:
    served = (collected / staticfiles_storage.stored_name("css/site.css")).read_text()

    assert "@import" not in served
    assert served.count("@layer components {") == len(list(COMPONENTS.glob("*.css")))
    for component in COMPONENTS.glob("*.css"):
        assert component.read_text() in served


@pytest.mark.parametrize("script", ["js/shortcuts.js", "js/queue.js"])
def test_collectstatic_lets_scripts_import_each_other_by_names_that_change_with_the_content(
    collected: Path, script: str
) -> None:
    served = (collected / staticfiles_storage.stored_name(script)).read_text()

    imported = Path(staticfiles_storage.stored_name("js/keys.js")).name
    assert imported != "keys.js"
    assert f'from "./{imported}"' in served


def test_collectstatic_a_second_time_gives_the_same_name(collected: Path) -> None:
    name = staticfiles_storage.stored_name("css/site.css")

    call_command("collectstatic", interactive=False, verbosity=0)

    assert staticfiles_storage.stored_name("css/site.css") == name
    assert "@import" not in (collected / name).read_text()


def test_bundle_when_an_import_is_missing_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a { color: red; }\n")
    paths = {"css/a.css": (FileSystemStorage(tmp_path), "a.css")}

    assert bundle('@import url("a.css") layer(base);', paths, "css") == "@layer base {\na { color: red; }\n}"
    with pytest.raises(ImportNotFound, match=r"css/b\.css"):
        bundle('@import url("b.css") layer(base);', paths, "css")
