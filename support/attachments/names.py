"""What a file is called: as its sender called it, without anything that could mislead whoever reads or saves it."""

import re

from upstream.reading.text import line, shortened

LONGEST_NAME = 100
# What file systems and header lines read as something else than a name.
_MEANING = re.compile(r'[<>:"|?*/\\;%\x00-\x1f\x7f]+')


def clean_name(name: str, extension: str) -> str:
    """Return a name without folders, control and direction characters, that ends as the content says.

    `extension` is without its dot. A name of which nothing is left becomes "file".
    """
    last = re.split(r"[/\\]", name)[-1]
    stem = _MEANING.sub(" ", line(last))
    if "." in stem:
        stem = stem.rpartition(".")[0]
    stem = " ".join(stem.split()).strip(". ")
    return f"{shortened(stem, LONGEST_NAME) or 'file'}.{extension}"


def extension_of(name: str) -> str:
    """Return what a name ends with after its last dot, in lower case; "" without one."""
    return line(name).rpartition(".")[2].lower() if "." in name else ""
