"""The admin's pages of service requests: staff answers them, who may only look does not."""

from django.urls import reverse
from django.utils import timezone

from orders.lifecycle.service_requests import request_service
from orders.models import (
    ServiceRequest,
)

SUBMITTED = {"_form_submitted": "True"}


def test_request_at_the_admin_when_staff_presses_a_button_then_it_is_answered(client, finished, ann, sam):
    asked = request_service(finished.pk, user=ann, kind=ServiceRequest.Kind.REFILL, now=timezone.now())
    client.force_login(sam)
    page = client.get(reverse("admin:orders_servicerequest_change", args=[asked.pk]))

    empty = client.post(reverse("admin:orders_servicerequest_decline", args=[asked.pk]), SUBMITTED)
    done = client.post(
        reverse("admin:orders_servicerequest_done", args=[asked.pk]), {**SUBMITTED, "answer": "On Monday"}, follow=True
    )
    late = client.post(
        reverse("admin:orders_servicerequest_decline", args=[asked.pk]), {**SUBMITTED, "answer": "No"}, follow=True
    )

    asked.refresh_from_db()
    assert [button["path"].rsplit("/", 2)[-2] for button in page.context["actions_detail"]] == ["done", "decline"]
    assert list(empty.context["form"].errors) == ["answer"]
    assert (asked.state, asked.answer, asked.closed_by) == (ServiceRequest.State.DONE, "On Monday", sam)
    assert [str(text) for text in done.context["messages"]] == ["The request is done. The customer can see it."]
    assert [str(text) for text in late.context["messages"]] == [
        "A colleague has already answered this request. Nothing was changed."
    ]


def test_request_at_the_admin_when_the_clerk_may_only_look_then_no_button_works(client, finished, ann):
    from django.contrib.auth.models import Permission

    from accounts.models import User

    asked = request_service(finished.pk, user=ann, kind=ServiceRequest.Kind.REFILL, now=timezone.now())
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_servicerequest"))
    client.force_login(clerk)

    client.post(reverse("admin:orders_servicerequest_done", args=[asked.pk]), SUBMITTED)

    assert ServiceRequest.objects.get().state == ServiceRequest.State.OPEN
