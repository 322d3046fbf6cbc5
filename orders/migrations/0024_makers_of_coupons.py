"""Who made each coupon, or raised it; of the coupons there are by now, as far as the admin's log goes back."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

DELETION = 3


def read_log(apps, schema_editor):
    """Take everybody who added or edited a coupon at the admin for one of its makers, from now on.

    Whether an edit made it worth more, the log does not say.
    """
    entries = apps.get_model("admin", "LogEntry").objects.filter(
        content_type__app_label="orders", content_type__model="coupon"
    )
    coupons = {str(pk): pk for pk in apps.get_model("orders", "Coupon").objects.values_list("pk", flat=True)}
    edited = entries.exclude(action_flag=DELETION).order_by("pk").values_list("object_id", "user_id")
    pairs = {(coupons[pk], user): None for pk, user in edited.iterator() if pk in coupons}
    CouponMaker = apps.get_model("orders", "CouponMaker")
    CouponMaker.objects.bulk_create([CouponMaker(coupon_id=coupon, user_id=user) for coupon, user in pairs], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("orders", "0023_refusals_by_what_is_seen"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CouponMaker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="makers",
                        to="orders.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made or raised by",
                    ),
                ),
            ],
            options={
                "verbose_name": "maker of a coupon",
                "verbose_name_plural": "makers of coupons",
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("coupon", "user"), name="coupon_maker_once")],
            },
        ),
        migrations.RunPython(read_log, migrations.RunPython.noop, elidable=True),
    ]
