"""The outbox as staff sees it, and every mail as its reader would see it."""

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.admin.list_filters import known_values
from accounts.admin.widgets import ReadOnlyAdmin
from accounts.models import User
from accounts.moments import write_distance
from notifications.channels import CHANNELS
from notifications.kinds import KINDS
from notifications.models import Notice
from notifications.outbox import send_again
from notifications.previews import SEVERAL, SEVERAL_TITLE, preview_of
from notifications.samples import samples
from preferences.face import LANGUAGES

# A mail carries its styles with it, and runs nothing; the logo comes from the shop.
MAIL_POLICY = (
    "default-src 'none'; img-src 'self' {shop}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


KindFilter = known_values("kind", gettext_lazy("kind"), lambda: [(kind.name, kind.title) for kind in KINDS.values()])
ChannelFilter = known_values("channel", gettext_lazy("channel"), lambda: [(one.name, one.title) for one in CHANNELS])


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("subject", "recipient", "kind", "channel", "created_at", "sent_at", "tries", "key")
    list_filter = (
        ("sent_at", admin.EmptyFieldListFilter),
        ("user", admin.EmptyFieldListFilter),
        KindFilter,
        ChannelFilter,
        "created_at",
    )
    list_select_related = ("user",)
    search_fields = ("key__startswith", "user__email")
    linked_by = ("user__id__exact",)
    fields = (
        "recipient", "subject", "body", "url", "key", ("kind", "channel", "in_bell"),
        ("created_at", "sent_at", "read_at"), ("tries", "not_before"),
    )  # fmt: skip
    readonly_fields = (
        "recipient", "subject", "body", "url", "key", "kind", "channel", "in_bell", "created_at", "sent_at", "read_at",
        "tries", "not_before",
    )  # fmt: skip
    actions = ("resend",)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("mails/", self.admin_site.admin_view(self.mails_view), name="notifications_mails"),
            path(
                "mails/<slug:name>/<slug:language>.<slug:form>",
                self.admin_site.admin_view(self.mail_view),
                name="notifications_mail",
            ),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=gettext_lazy("recipient"), ordering="user__email")
    def recipient(self, notice: Notice) -> str:
        return notice.user.email if notice.user else _("Admins")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_notice")

    @admin.action(description=gettext_lazy("Send again"), permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        count = send_again(queryset.values_list("pk", flat=True))
        words = ngettext("%(count)d notice will be sent again.", "%(count)d notices will be sent again.", count)
        messages.success(request, words % {"count": count})

    def mails_view(self, request: HttpRequest) -> HttpResponse:
        """List a sample of every mail, with links to it in each language, as HTML and as text."""
        self._refuse_strangers(request)
        by_kind = [
            {"kind": kind, "samples": [sample for sample in samples() if sample.kind == kind.name]}
            for kind in KINDS.values()
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Emails, as their readers see them"),
            "groups": [group for group in by_kind if group["samples"]],
            "several": {"name": SEVERAL, "title": SEVERAL_TITLE},
            "languages": LANGUAGES.value,
        }
        return render(request, "admin/notifications/mails.html", context)

    def mail_view(self, request: HttpRequest, name: str, language: str, form: str) -> HttpResponse:
        """Show a sample as its reader gets it; nothing is sent."""
        self._refuse_strangers(request)
        mail = preview_of(name, language) if language in LANGUAGES.value and form in ("html", "txt") else None
        if mail is None:
            raise Http404
        if form == "txt":
            head = f"{_('Subject')}: {mail.subject}\n\n"
            return HttpResponse(head + mail.body, content_type="text/plain; charset=utf-8")
        policy = MAIL_POLICY.format(shop=settings.SITE_URL)
        return HttpResponse(str(mail.alternatives[0][0]), headers={"Content-Security-Policy": policy})

    def _refuse_strangers(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD") or not self.has_resend_permission(request):
            raise PermissionDenied


@shows_of_customers("notifications.notice", place=60)
def notices(user: User, request: HttpRequest) -> Block:
    """Show the newest; one statement."""
    now = timezone.now()
    newest = Notice.objects.filter(user=user).order_by("-pk").values_list("pk", "subject", "sent_at")[:NEWEST]
    rows = [
        Row(subject, write_distance(sent_at, now=now) if sent_at else _("not sent yet"),
            reverse("admin:notifications_notice_change", args=[pk]))
        for pk, subject, sent_at in newest
    ]  # fmt: skip
    every = f"{reverse('admin:notifications_notice_changelist')}?user__id__exact={user.pk}" if rows else ""
    return Block(_("Notices"), [] if rows else [(_("In all"), _("none"))], rows=rows, all_link=every)
