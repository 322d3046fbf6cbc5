"""The pages that the owner writes, and the page that asks to accept the terms."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import CustomerRequest, PageRequest, address_of, customers_only
from catalog.caching.page_cache import cached_page
from support.documents import languages
from support.documents.accept_field import AcceptForm
from support.documents.acceptance import accept, terms_now
from support.documents.known import FAQ
from support.documents.read import found, shown
from support.models import DocumentVersion, TermsAcceptance

LONGEST_SEARCH = 100


@cached_page(tells_stock=False)
@require_safe
def document(request: PageRequest, slug: str) -> HttpResponse:
    """Show a document; the FAQ can be searched, and a search is nothing that is cached."""
    public = DocumentVersion.objects.filter(document__slug=slug, document__public=True)
    version = public.order_by("-id").first()
    if version is None:
        raise Http404
    page = shown(version)
    words = request.GET.get("q", "")[:LONGEST_SEARCH].strip() if slug == FAQ else ""
    context = {
        "slug": slug,
        "document": page,
        "parts": found(page.parts, words) if words else page.parts,
        "words": words,
        "is_faq": slug == FAQ,
        "contents": [part for part in page.parts if part.anchor],
    }
    return render(request, "support/document.html", context)


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def accept_terms(request: CustomerRequest) -> HttpResponse:
    """Ask to accept the terms, for who came from a button inside a list; then lead back there."""
    version = terms_now()
    if version is None:
        raise Http404
    back = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("home")
    form = AcceptForm(request.POST if request.method == "POST" else None, version=version)
    if form.is_valid():
        door = TermsAcceptance.Door.PAGE
        accept(request.user.pk, version.pk, door=door, address=address_of(request), now=timezone.now())
        return redirect(back)
    summary = languages.chosen(version.summaries)[1]
    context = {"form": form, "summary": summary, "kept": [("next", back)], "action": request.path}
    return render(request, "support/accept_terms.html", context)
