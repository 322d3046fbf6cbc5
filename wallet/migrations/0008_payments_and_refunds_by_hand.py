"""Payments that staff confirms and orders that staff refunds are moves by hand, of which one at a time waits.

The audit judges who moved what by hand since this migration was applied (orders/accounting/audit/two_people.py).
"""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("wallet", "0007_what_moves_by_hand_are_about")]

    operations = [
        migrations.RemoveConstraint(model_name="moneyrequest", name="withdrawal_says_how_much_and_how"),
        migrations.AddConstraint(
            model_name="moneyrequest",
            constraint=models.CheckConstraint(
                condition=Q(kind="adjustment") & ~Q(amount_micros=0)
                | Q(kind="withdrawal", amount_micros__gt=0) & ~Q(paid_how="")
                | Q(kind="payment", amount_micros__gt=0, received_micros__gt=0) & ~Q(about="")
                | Q(kind="refund", amount_micros__gt=0) & ~Q(about=""),
                name="move_by_hand_says_what_it_moves",
            ),
        ),
        migrations.AddConstraint(
            model_name="moneyrequest",
            constraint=models.UniqueConstraint(
                fields=["about"], condition=Q(state="waiting") & ~Q(about=""), name="one_request_waits_about_it"
            ),
        ),
        migrations.AddIndex(
            model_name="moneyrequest",
            index=models.Index(fields=["about"], condition=~Q(about=""), name="money_requests_about"),
        ),
    ]
