"""Help: what a customer has asked, a new question, and what was said about one."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import (
    CustomerRequest,
    PageRequest,
    customers_only,
    is_looked_at,
    personal_page,
    render_live,
    wants_part,
)
from accounts.models import User
from accounts.security.staff_factors import has_shown_factor, needs_second_factor
from orders.models import load_sold
from support.attachments.downloads import as_download
from support.first_answers.moments_in_text import in_words
from support.models import Attachment, AttachmentContent, Message, Ticket
from support.pages.about import About, about_of, order_of, recent_of, said_about
from support.pages.forms import OrderNumberForm, QuestionForm, RatingForm, ReplyForm, TicketFilterForm
from support.tickets.finding import tickets_of, with_words
from support.tickets.opening import open_ticket
from support.tickets.refusals import TicketRefused
from support.tickets.thread import rate, reopens_until, write_again

TICKETS_PER_PAGE = 25


@personal_page
@require_safe
def help_page(request: PageRequest) -> HttpResponse:
    """Show customers what they have asked and how it stands; visitors, where they can write to."""
    if not isinstance(request.user, User):
        return render(request, "support/help.html", {"visitor": True})
    form = TicketFilterForm(request.GET)
    found = with_words(tickets_of(request.user), form.words)
    page = Paginator(found, TICKETS_PER_PAGE).get_page(request.GET.get("page"))
    load_sold([ticket.order for ticket in page if ticket.order is not None])
    context = {"page": page, "form": form, "searched": bool(form.words)}
    return render(request, "support/help.html", context)


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new_ticket(request: CustomerRequest) -> HttpResponse:
    """Ask something about an own order (`?order=`), an own payment (`?payment=`) or neither; then show the ticket."""
    about = about_of(request.user, request.GET)
    number = OrderNumberForm(request.GET)
    typed = str(number.cleaned_data.get("number") or "") if number.is_valid() else ""
    if typed and (order := order_of(request.user, typed)) is not None:
        return redirect(f"{request.path}?order={order.pk}")
    if request.method == "POST":
        form = QuestionForm(request.POST, request.FILES, reasons=about.reasons)
        if form.is_valid() and (ticket := _opened(request, about, form)):
            messages.success(request, _said(ticket))
            return redirect("support:ticket", ticket.pk)
    else:
        form = QuestionForm(reasons=about.reasons)
    chosen = bool(about.query)
    context = {
        "form": form,
        "about": about,
        "subject": said_about(about),
        "asked": _asked_about(request.user, about) if chosen else [],
        "recent": None if chosen else recent_of(request.user),
        "number": number,
        "unknown_number": typed,
    }
    return render(request, "support/ticket_new.html", context)


def _said(ticket: Ticket) -> str:
    """How a question comes back to who has just asked it: a rule may have answered by now."""
    if ticket.state == Ticket.State.OPEN:
        return _("We have your question. Our answer will come here.")
    return _("We have your question, and there is a first answer already.")


def _opened(request: CustomerRequest, about: About, form: QuestionForm) -> Ticket | None:
    try:
        return open_ticket(
            user=request.user, order=about.order, top_up=about.top_up, now=timezone.now(), **form.cleaned_data
        )
    except TicketRefused as refusal:
        form.refuse(refusal)
    return None


def _asked_about(user: User, about: About) -> list[Ticket]:
    """What the customer has asked about the same before, and what is not over."""
    same = Q(order=about.order) if about.order is not None else Q(top_up=about.top_up)
    return list(tickets_of(user).filter(same).exclude(state=Ticket.State.CLOSED)[:3])


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def ticket(request: CustomerRequest, pk: int) -> HttpResponse:
    """Show an own ticket, which follows what is said in it; a post replies, and reopens it within a week."""
    found = _own(request, pk)
    form = ReplyForm()
    if request.method == "POST":
        form = ReplyForm(request.POST, request.FILES)
        if form.is_valid() and _replied(request, found, form):
            return redirect("support:ticket", pk)
    return _show(request, found, form, RatingForm(initial=_rating_of(found)))


def _replied(request: CustomerRequest, ticket: Ticket, form: ReplyForm) -> bool:
    try:
        write_again(ticket.pk, user=request.user, now=timezone.now(), **form.cleaned_data)
    except TicketRefused as refusal:
        form.refuse(refusal)
        return False
    messages.success(request, _("Your message has been sent."))
    return True


@customers_only
@require_POST
def rating(request: CustomerRequest, pk: int) -> HttpResponse:
    """Keep whether the answer helped."""
    found = _own(request, pk)
    form = RatingForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            rate(pk, user=request.user, rating=int(typed["rating"]), text=typed["rating_text"], now=timezone.now())
        except TicketRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, _("Thank you. We read every rating."))
            return redirect("support:ticket", pk)
    return _show(request, found, ReplyForm(), form)


def _own(request: CustomerRequest, pk: int) -> Ticket:
    own = request.user.tickets.select_related("order__service", "top_up", "request")
    return get_object_or_404(own, pk=pk)


def _rating_of(ticket: Ticket) -> dict[str, object]:
    return {"rating": ticket.rating, "rating_text": ticket.rating_text}


def _told_aloud(newest: Message) -> str:
    """What a screen reader says when it comes while the page lies open: the newest words, without those before."""
    if newest.kind == Message.Kind.CUSTOMER:
        return ""
    return in_words(newest.text) if newest.kind == Message.Kind.RULE else newest.text


def _show(request: CustomerRequest, ticket: Ticket, form: ReplyForm, rating_form: RatingForm) -> HttpResponse:
    now = timezone.now()
    said = ticket.messages.exclude(kind=Message.Kind.NOTE).prefetch_related("attachments")
    thread = list(said)
    if not is_looked_at(request):
        Ticket.objects.filter(pk=ticket.pk).update(seen_at=now)
    if ticket.order is not None:
        load_sold([ticket.order])
    until = reopens_until(ticket)
    context = {
        "ticket": ticket,
        "thread": thread,
        "form": form,
        "rating_form": rating_form,
        "rates": ticket.state in (Ticket.State.ANSWERED, Ticket.State.CLOSED),
        "reopens_until": until,
        "replies": until is None or now <= until,
        "hidden": is_looked_at(request),
        "told": _told_aloud(thread[-1]) if wants_part(request) else "",
    }
    state = (
        ticket.state,
        ticket.rating,
        ticket.comes_back_at,
        [(message.pk, [file.deleted_at for file in message.attachments.all()]) for message in thread],
    )
    path = request.path.removesuffix("rating/")
    return render_live(request, "support/ticket.html", "live", context, state=state, path=path)


@customers_only
@require_safe
def attachment(request: CustomerRequest, pk: int) -> HttpResponse:
    """Send a file of a message as a download: to its ticket's customer, and to staff who may read tickets."""
    found = get_object_or_404(Attachment.objects.select_related("message__ticket"), pk=pk)
    of_customer = found.message.ticket.user_id == request.user.pk and found.message.kind != Message.Kind.NOTE
    if not of_customer and not _reads_tickets(request):
        raise Http404
    content = AttachmentContent.objects.filter(attachment=found).first()
    if content is None:
        raise Http404
    return as_download(found, bytes(content.data))


def _reads_tickets(request: CustomerRequest) -> bool:
    user = request.user
    if needs_second_factor(user) and not has_shown_factor(request):
        return False
    may = user.has_perm("support.view_ticket") or user.has_perm("support.change_ticket")
    return user.is_active and user.is_staff and may
