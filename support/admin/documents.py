"""The owner's pages at the admin: which there are, what they say, and what they said before."""

import copy
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.widgets import EMPTY, ModelAdmin, member_of_staff
from support.admin.differences import differences
from support.admin.document_form import DocumentForm
from support.documents import languages
from support.documents.known import FAQ, TERMS
from support.documents.publish import WrittenMeanwhile, publish, put_back, tell_of_changes
from support.documents.read import shown_text
from support.documents.words import WORDS
from support.models import Document, DocumentVersion

TEXT, HISTORY_SHOWN = "admin:support_document_text", 50


@admin.register(Document)
class DocumentAdmin(ModelAdmin):
    """The list of documents and where they stand; what one says has a page of its own."""

    list_display = ("shown_title", "slug", "position", "in_footer", "public", "text_link")
    fields = ("slug", "position", "in_footer", "public")
    changes_nothing = frozenset({"support_document_preview"})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the address of a page that somebody may have linked to."""
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        versions = DocumentVersion.objects.defer("texts", "summaries")
        return super().get_queryset(request).prefetch_related(Prefetch("versions", versions))

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        user = member_of_staff(request)
        tell_of_changes(actor_id=user.pk, actor=str(user), now=timezone.now())

    def response_add(self, request: HttpRequest, obj: Document, post_url_continue: str | None = None) -> HttpResponse:
        """Lead on to the text: a document without one is shown to nobody."""
        return HttpResponseRedirect(reverse(TEXT, args=[obj.pk]))

    @display(description=gettext_lazy("title"))
    def shown_title(self, document: Document) -> str:
        newest = _newest(document)
        return languages.chosen(newest.titles)[1] if newest else EMPTY

    @display(description=gettext_lazy("text"))
    def text_link(self, document: Document) -> str:
        newest = _newest(document)
        label = _("Version %(number)d") % {"number": newest.number} if newest else _("Write")
        return format_html('<a class="underline" href="{}">{}</a>', reverse(TEXT, args=[document.pk]), label)

    # --- Its text -----------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/text/", view(self.text_view), name="support_document_text"),
            path("<int:pk>/preview/", view(self.preview_view), name="support_document_preview"),
            path("<int:pk>/versions/<int:number>/", view(self.version_view), name="support_document_version"),
            path("<int:pk>/versions/<int:number>/back/", view(self.back_view), name="support_document_back"),
        ]
        return [*own, *super().get_urls()]

    def text_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what a document says, and publish what was typed."""
        document, newest = self._asked_for(request, pk)
        if request.method == "POST":
            self._refuse_who_may_not(request)
            form = DocumentForm(request.POST, document=document, newest=newest)
            if form.is_valid() and self._publish(request, document, form):
                return HttpResponseRedirect(reverse(TEXT, args=[pk]))
        elif (kept := kept_of(request)) is not None:
            form = DocumentForm(kept, document=document, newest=newest).without_errors()
        else:
            form = DocumentForm(document=document, newest=newest)
        return self._page(request, document, newest, form)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the page as readers would see it with what was typed, which is not saved."""
        document, newest = self._asked_for(request, pk)
        self._refuse_who_may_not(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse(TEXT, args=[pk]))
        form = DocumentForm(request.POST, document=document, newest=newest)
        if not form.is_valid():
            return self._page(request, document, newest, form)
        return _preview(request, document, form, request.GET.get("language", ""))

    def version_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Show what a version says that the one before it did not."""
        document, newest = self._asked_for(request, pk)
        version = get_object_or_404(DocumentVersion, document=document, number=number)
        before = DocumentVersion.objects.filter(document=document, number=number - 1).first()
        context = {
            "title": _("%(document)s, version %(number)d") % {"document": document.slug, "number": number},
            "version": version,
            "document": document,
            "differences": differences(before, version),
            "may_put_back": self.has_change_permission(request) and newest is not None and version.pk != newest.pk,
            "newest": newest,
        }
        return render(request, "admin/support/document_version.html", self._context(request, context))

    def back_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Publish once more what a version said."""
        document, _newest_now = self._asked_for(request, pk)
        self._refuse_who_may_not(request)
        version = get_object_or_404(DocumentVersion, document=document, number=number)
        seen = request.POST.get("seen", "")
        if request.method == "POST" and seen.isascii() and seen.isdecimal():
            user = member_of_staff(request)
            try:
                made = put_back(version, seen=int(seen[:9]), actor_id=user.pk, actor=str(user), now=timezone.now())
            except WrittenMeanwhile:
                messages.error(request, _written_meanwhile())
            else:
                messages.success(request, _("The former text is back.") if made else _("The page says that already."))
        return HttpResponseRedirect(reverse(TEXT, args=[pk]))

    def _publish(self, request: HttpRequest, document: Document, form: DocumentForm) -> bool:
        user, cleaned = member_of_staff(request), form.cleaned_data
        try:
            version = publish(
                document.pk,
                titles=form.said("title"),
                texts=form.said("text"),
                summaries=form.said("summary"),
                asks_again=cleaned.get("asks_again", False),
                seen=cleaned["seen"],
                actor_id=user.pk,
                actor=str(user),
                now=timezone.now(),
            )
        except WrittenMeanwhile:
            form.add_error(None, _written_meanwhile())
            return False
        if version is None:
            messages.info(request, _("Nothing was different, so nothing has been published."))
        else:
            messages.success(request, _("Published. Readers see it within a few seconds."))
        return True

    def _asked_for(self, request: HttpRequest, pk: int) -> tuple[Document, DocumentVersion | None]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        document = get_object_or_404(Document, pk=pk)
        return document, document.versions.first()

    def _refuse_who_may_not(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, document: Document, newest: DocumentVersion | None, form: DocumentForm
    ) -> HttpResponse:
        public = newest is not None and document.public
        context = {
            "title": languages.chosen(newest.titles)[1] if newest else document.slug,
            "document": document,
            "form": form,
            "versions": document.versions.defer("texts")[:HISTORY_SHOWN],
            "languages": settings.LANGUAGES,
            "words": [(f"{{{name}}}", value()) for name, value in WORDS.items()],
            "may_change": self.has_change_permission(request),
            "address": settings.SITE_URL + reverse("documents:document", args=[document.slug]) if public else "",
            "is_terms": document.slug == TERMS,
        }
        return render(request, "admin/support/document_text.html", self._context(request, context))

    def _context(self, request: HttpRequest, own: dict[str, Any]) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **own}


def _newest(document: Document) -> DocumentVersion | None:
    return next(iter(document.versions.all()), None)


def _written_meanwhile() -> str:
    return _(
        "Somebody else has published a version since you opened the page, so nothing has been saved. Open it anew."
    )


def _preview(request: HttpRequest, document: Document, form: DocumentForm, language: str) -> HttpResponse:
    visitor = copy.copy(request)
    visitor.method, visitor.user = "GET", AnonymousUser()
    said = [_("This is a preview: nothing has been saved yet.")]
    visitor._messages = [Message(constants.WARNING, text) for text in said]  # type: ignore[attr-defined]  # of Django
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(spoken):
        page = shown_text(form.said("title"), form.said("text"))
        context = {
            "slug": document.slug,
            "document": page,
            "parts": page.parts,
            "contents": [part for part in page.parts if part.anchor],
            "is_faq": document.slug == FAQ,
        }
        response = render(visitor, "support/document.html", context)
    response["Cache-Control"] = "no-store"
    return response
