"""When upstream answered, kept apart from what was found otherwise; what an attempt was expected to cost."""

from django.db import migrations, models
from django.db.models import Exists, F, OuterRef

import accounts.money


def note_answers(apps, schema_editor):
    """Take every id for an answer whose order was never lost; of the others nobody can say it any more."""
    Order = apps.get_model("orders", "Order")
    LostAttempt = apps.get_model("orders", "LostAttempt")
    lost = Exists(LostAttempt.objects.filter(order=OuterRef("pk")))
    answered = Order.objects.filter(~lost, upstream_id__isnull=False, sent_at__isnull=False)
    answered.update(answered_at=F("sent_at"))
    costs = Order.objects.filter(pk=OuterRef("order_id")).values("cost_upstream_micros")[:1]
    LostAttempt.objects.update(cost_upstream_micros=models.Subquery(costs))


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="lostattempt",
            name="cost_upstream_micros",
            field=accounts.money.MicrosField(blank=True, null=True, verbose_name="expected upstream cost"),
        ),
        migrations.AddField(
            model_name="order",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="answered"),
        ),
        migrations.AlterField(
            model_name="lostattempt",
            name="doubt",
            field=models.CharField(
                blank=True,
                choices=[
                    ("sending", "an order is being sent whose id may lie in the window"),
                    ("distrust", "an assumption about upstream's ids has failed"),
                    ("no_beginning", "we had no order id before the attempt, so the window has no beginning"),
                    ("open", "the window is open: it closes with the next order sent after the settling time, or by hand"),
                    ("reversed", "the window ends before it begins"),
                    ("too_wide", "the window is too wide: %(detail)s ids"),
                    ("silence", "upstream does not answer: %(detail)s"),
                    ("candidates", "the candidates leave a doubt"),
                    ("unexplained", "upstream has orders that no lost attempt explains"),
                    ("prices", "another sync has to say what it can have cost"),
                    ("forgotten", "a candidate may be an order that a restored database has forgotten"),
                ],
                max_length=12,
                verbose_name="why it is not settled",
            ),
        ),
        migrations.RunPython(note_answers, migrations.RunPython.noop),
    ]
