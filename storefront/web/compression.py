"""Pages travel compressed, but for those that show a secret.

How long a compressed page is tells a little of what stands in it (BREACH). Against that Django masks the tokens of
forms anew for every page and this middleware pads every answer by a random length. Secrets that stay the same stand on
few pages; those are sent as they are. Files, the API's answers and whatever is long and only read by programs are left
to the proxy in front. Source: https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import Resolver404, resolve

# Pages with a key, a seed, recovery codes, delivered goods, or codes that arrived by SMS: also in what is sent to a
# customer's server, and under what is wrong with a form of theirs.
WITH_SECRETS = frozenset(
    {
        *("api:keys", "api:key", "api:key_show", "api:key_rotate"),
        *("api:webhooks", "api:webhook", "api:webhook_rotate", "api:webhook_delivery"),
        *("mfa_activate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"),
        *("orders:goods", "orders:goods_file", "sms:waiting", "sms:history", "orders:detail"),
        *("sms:cancel", "sms:replace", "sms:replacement_rule"),
        *("account_confirm_email", "account_reset_password_from_key", "undo_email_change", "privacy:keep"),
    }
)


class CompressionMiddleware(GZipMiddleware):
    """Compress pages for browsers that take gzip."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the answer, compressed if it is a page without secrets."""
        page = isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html")
        if not page or _shows_secrets(request):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed


def _shows_secrets(request: HttpRequest) -> bool:
    # Staff sees whatever a customer's page shows, and more.
    if request.path_info.startswith("/admin/"):
        return True
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return False
    return match.view_name in WITH_SECRETS
