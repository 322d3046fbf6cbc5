"""Forms that show what saving would change before it is saved: asked for, or because it is much."""

import hashlib

from accounts.typed_forms import ModelForm


def fingerprint_of(told: object) -> str:
    """Return what stands for a preview, from all that it tells: another one is shown before anything is done by it."""
    return hashlib.sha256(repr(told).encode()).hexdigest()


class PreviewedForm(ModelForm):
    """Not valid while its preview has to be looked at; templates/admin/preview.html is their frame."""

    shows_preview = False
    fingerprint = ""  # of what the preview shows; posted back as `previewed`

    def is_valid(self) -> bool:
        """Return whether it can be saved now: a preview that is asked for, or needed, comes first."""
        return super().is_valid() and not self.shows_preview

    def show_first(self, told: object, *, many: bool) -> None:
        """Have what is `told` shown if somebody asks for it, or if it is `many` rows and has not been seen so."""
        self.fingerprint = fingerprint_of(told)
        self.shows_preview = "_preview" in self.data or (many and self.data.get("previewed") != self.fingerprint)
