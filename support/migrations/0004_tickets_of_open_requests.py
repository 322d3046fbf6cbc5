"""Requests that are open when tickets begin get theirs, so that the staff has one queue."""

from django.db import migrations

REASONS = {"refill": "refill", "cancel": "cancel"}
SUBJECTS = {"refill": "Refill of order #{}", "cancel": "Cancel order #{}"}
TEXTS = {"refill": "Please refill order #{}.", "cancel": "Please cancel order #{}."}


def open_tickets(apps, schema_editor):
    ServiceRequest = apps.get_model("orders", "ServiceRequest")
    Ticket = apps.get_model("support", "Ticket")
    Message = apps.get_model("support", "Message")
    for request in ServiceRequest.objects.filter(state="open").select_related("order").iterator():
        asked = request.created_at
        ticket = Ticket.objects.create(
            user_id=request.order.user_id,
            order_id=request.order_id,
            request=request,
            reason=REASONS[request.kind],
            subject=SUBJECTS[request.kind].format(request.order_id),
            created_at=asked,
            changed_at=asked,
            waiting_since=asked,
            seen_at=asked,
        )
        Message.objects.create(
            ticket=ticket,
            kind="customer",
            author_id=request.order.user_id,
            text=TEXTS[request.kind].format(request.order_id),
            key=f"orders:request:{request.pk}",
            created_at=asked,
        )


class Migration(migrations.Migration):
    dependencies = [("support", "0003_status_and_announcements")]

    operations = [migrations.RunPython(open_tickets, migrations.RunPython.noop, elidable=True)]
