"""Why a file is not taken."""


class FileRefused(Exception):
    """The file, or how many there are, is not taken; the text is for its sender. Nothing was stored."""
