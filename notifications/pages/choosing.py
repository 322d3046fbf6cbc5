"""The page where a customer chooses which news come by which channel."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import CustomerRequest, customers_only
from accounts.models import User
from accounts.typed_forms import Form
from notifications.channels import CHANNELS
from notifications.choices import choices_of, choose, is_wanted
from notifications.samples import told_kinds


class ChoicesForm(Form):
    """A box for each kind and channel, called `kind.channel`; those that cannot be turned off have none.

    A kind that nothing is told of yet is not asked about.
    """

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = choices_of([user.pk]).get(user.pk, {})
        self.rows = []
        for kind in told_kinds():
            cells = []
            for channel in CHANNELS:
                wanted = is_wanted(kind, channel.name, said)
                name = f"{kind.name}.{channel.name}"
                if kind.can_be_turned_off:
                    label = _("%(kind)s: %(channel)s") % {"kind": kind.title, "channel": channel.title}
                    widget = forms.CheckboxInput(attrs={"aria-label": label})
                    self.fields[name] = forms.BooleanField(required=False, initial=wanted, label=label, widget=widget)
                cells.append({"field": self[name] if name in self.fields else None, "on": wanted, "channel": channel})
            self.rows.append({"kind": kind, "cells": cells})

    def wanted(self) -> dict[tuple[str, str], bool]:
        """Return what was said, by kind and channel."""
        return {(kind, channel): on for name, on in self.cleaned_data.items() for kind, channel in [name.split(".")]}


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: CustomerRequest) -> HttpResponse:
    """Show what comes by which channel, and keep what the customer makes of it."""
    # Without a single tick nothing but the token is posted, so it is the method that tells.
    form = ChoicesForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        choose(request.user, form.wanted())
        messages.success(request, _("Your choice has been saved."))
        return redirect("notices:choices")
    context = {"form": form, "channels": CHANNELS, "email": request.user.email}
    return render(request, "notifications/choices.html", context)
