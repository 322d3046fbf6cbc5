"""The palette and the list of keys, fetched when a key first asks for them; and what the palette finds."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import PageRequest, personal_page
from accounts.models import User
from storefront.palette.found import found_for
from storefront.palette.pages import pages_for


@personal_page
@require_safe
def palette(request: PageRequest) -> HttpResponse:
    """Return both dialogs, for a page to put at its end."""
    user = request.user if isinstance(request.user, User) else None
    keyed = [page for page in pages_for(user) if page.keys]
    return render(request, "palette/palette.html", {"groups": found_for("", user), "pages": keyed})


@personal_page
@require_safe
def found(request: PageRequest) -> HttpResponse:
    """Return the options for the letters typed so far, as the palette's list has them."""
    user = request.user if isinstance(request.user, User) else None
    return render(request, "palette/options.html", {"groups": found_for(request.GET.get("q", ""), user)})
