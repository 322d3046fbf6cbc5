"""The customer's SMS pages: choose what for and where, and buy."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from accounts.pages import (
    PageRequest,
    ask_to_sign_in,
    personal_page,
    wants_part,
)
from accounts.templatetags.money import money
from orders.models import Order
from orders.operations.placing import OrderRefused, PriceChanged, RequestIdReused
from sms.forms import BuyNumberForm, Offer, ProjectFilterForm
from sms.models import Project
from sms.operations import buy_numbers
from sms.pricing import NumberBook, number_book
from wallet.operations import InsufficientFunds

PROJECTS_PER_PAGE = 30


@personal_page
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """List what numbers can be had for, with this customer's prices; visitors may look, too."""
    form = ProjectFilterForm(request.GET)
    projects = form.narrow(Project.objects.on_sale()).select_related("country")
    page = Paginator(projects, PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    book = number_book(request.user)
    offers = [offer_of(project, book, BuyNumberForm(project=project)) for project in page]
    context = {"form": form, "page": page, "offers": offers}
    return render(request, "sms/home.html#offers" if wants_part(request) else "sms/home.html", context)


def offer_of(project: Project, book: NumberBook, form: BuyNumberForm) -> Offer:
    return Offer(project, book.price_micros(project), form)


@personal_page
@require_http_methods(["GET", "HEAD", "POST"])
def buy(request: PageRequest, project_id: int) -> HttpResponse:
    """Show one project alone, and buy numbers for it; a refusal is said beside the button."""
    project = get_object_or_404(Project.objects.on_sale().select_related("country"), pk=project_id)
    if request.method != "POST":
        form = BuyNumberForm(project=project)
    elif not isinstance(request.user, User):
        return ask_to_sign_in(request)
    else:
        form = BuyNumberForm(request.POST, project=project, user=request.user)
        orders = _buy(request.user, form) if form.is_valid() else None
        if orders:
            bought = ngettext("The number is on its way.", "The %(count)s numbers are on their way.", len(orders))
            messages.success(request, bought % {"count": len(orders)})
            where = reverse("sms:waiting")
            return HttpResponseClientRedirect(where) if wants_part(request) else redirect(where)
    context = {"offer": offer_of(project, number_book(request.user), form)}
    return render(request, "sms/buy.html#offer" if wants_part(request) else "sms/buy.html", context)


def _buy(user: User, form: BuyNumberForm) -> list[Order] | None:
    """Buy what a valid form asks for; a refusal becomes an error of the form."""
    try:
        return buy_numbers(user=user, project=form.project, **form.request())
    except PriceChanged as change:
        price = money(change.rate_micros)
        form.add_error(
            None, _("The price has changed: it is now %(price)s. Buy again to accept it.") % {"price": price}
        )
    except RequestIdReused:
        form.renew()
        form.add_error(None, _("This page has bought numbers before. Buy again for more."))
    except OrderRefused as refusal:
        form.add_error("quantity" if refusal.field == "quantity" else None, str(refusal))
    except InsufficientFunds as short:
        text = _("Your balance is %(amount)s short. You have not paid anything.")
        link = format_html('<a href="{}">{}</a>', reverse("wallet:home"), _("Add money"))
        form.add_error(None, format_html("{} {}", text % {"amount": money(short.missing_micros)}, link))
    return None
