"""Announcements: whoever keeps the catalog writes them, and sees them in every language before they go out."""

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.lists import in_one_line
from accounts.admin.widgets import EMPTY, ModelAdmin, member_of_staff
from support.admin.language_fields import TextsForm, fields_of, names_of
from support.announcements.audience import readers_of
from support.models import Announcement
from support.shown_now import tell_of_change
from support.texts import in_readers_language

Audience = Announcement.Audience
LONGEST_TITLE = 40


class Shown(NamedTuple):
    """An announcement as readers of one language see it."""

    language: str
    code: str
    title: str
    text: str
    link_label: str


class AnnouncementForm(TextsForm):
    """What is said, to whom, from when until when. With the button for it, it is shown and nothing is saved."""

    text_columns = ("titles", "texts", "link_labels")
    vars().update(fields_of("titles", gettext_lazy("Title"), longest=120, required=True))
    vars().update(fields_of("texts", gettext_lazy("Text"), longest=4000, lines=True))
    vars().update(fields_of("link_labels", gettext_lazy("Words of the link"), longest=60))
    shows_preview = False
    shown: list[Shown]
    readers: int | None = None

    class Meta:
        model = Announcement
        fields = ("link", "audience", "group", "level", "dismissable", "starts_at", "ends_at")
        help_texts = {
            "link": gettext_lazy("A page of the shop, such as /catalog/, or an address that begins with https://."),
            "audience": gettext_lazy("Resellers have an API key, or are in a group that is marked so."),
            "ends_at": gettext_lazy("Empty: the bar stays until it is dismissed. The page of announcements keeps it."),
        }
        widgets = {"link": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown = []

    def clean_link(self) -> str:
        link: str = self.cleaned_data["link"]
        if link and not _leads_somewhere(link):
            raise ValidationError(_("Enter a page of the shop, such as /catalog/, or an address with https://."))
        return link

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        audience, group = cleaned.get("audience"), cleaned.get("group")
        if audience == Audience.GROUP and group is None and "group" not in self.errors:
            self.add_error("group", _("Choose the group."))
        elif audience != Audience.GROUP:
            cleaned["group"] = None
        begins, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begins is not None and ends is not None and ends <= begins:
            self.add_error("ends_at", _("It must end after it starts."))
        if not cleaned.get("link") and any(cleaned.get(name) for name in names_of("link_labels")):
            self.add_error("link", _("The words of the link lead nowhere."))
        return cleaned

    def is_valid(self) -> bool:
        """Return whether it can be saved now: a preview that is asked for comes first."""
        return super().is_valid() and not self.shows_preview

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        self.shows_preview = "_preview" in self.data and not self.errors
        if self.shows_preview:
            self.shown = [_shown(self.instance, code, name) for code, name in settings.LANGUAGES]
            self.readers = readers_of(self.instance, now=timezone.now())


@admin.register(Announcement)
class AnnouncementAdmin(ModelAdmin):
    """The button for the preview stands in templates/admin/support/announcement/submit_line.html."""

    form = AnnouncementForm
    list_display = ("shown_title", "level", "audience", "group", "is_current", "starts_at", "ends_at")
    list_filter = ("audience", "level", "starts_at")
    list_select_related = ("group",)
    autocomplete_fields = ("group",)
    conditional_fields = {"group": f"audience == '{Audience.GROUP}'"}
    change_form_before_template = "admin/support/announcement/preview.html"
    fieldsets = (
        (
            gettext_lazy("What is said"),
            {"fields": (*names_of("titles"), *names_of("texts"), "link", names_of("link_labels"))},
        ),
        (gettext_lazy("To whom"), {"fields": (("audience", "group"), ("level", "dismissable"))}),
        (gettext_lazy("When"), {"fields": ("starts_at", "ends_at")}),
    )

    @display(description=gettext_lazy("title"))
    def shown_title(self, announcement: Announcement) -> str:
        return in_one_line(str(announcement), LONGEST_TITLE)

    @display(description=gettext_lazy("now"))
    def is_current(self, announcement: Announcement) -> str:
        return _("Shown") if announcement.lasts(timezone.now()) else EMPTY

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = member_of_staff(request)
        super().save_model(request, obj, form, change)
        tell_of_change()

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        super().delete_model(request, obj)
        tell_of_change()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        super().delete_queryset(request, queryset)
        tell_of_change()


def _leads_somewhere(link: str) -> bool:
    if link.startswith("/"):
        return not link.startswith(("//", "/\\")) and not any(sign in link for sign in "\\ \t\n")
    try:
        URLValidator(schemes=["https"])(link)
    except ValidationError:
        return False
    return True


def _shown(announcement: Announcement, code: str, name: str) -> Shown:
    with translation.override(code):
        label = in_readers_language(announcement.link_labels, code) or _("Read more")
    return Shown(
        language=str(name),
        code=code,
        title=in_readers_language(announcement.titles, code),
        text=in_readers_language(announcement.texts, code),
        link_label=label if announcement.link else "",
    )
