"""What staff answers to reports about goods, and orders that replace goods; nothing is answered yet."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.money


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0014_warranty_of_goods"),
        ("orders", "0027_goods_claims"),
        ("wallet", "0008_payments_and_refunds_by_hand"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="original",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="orders.order",
                verbose_name="replaces goods of",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="warranty_hours",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="warranty, hours"),
        ),
        migrations.CreateModel(
            name="ClaimAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("replaced", "Replaced"), ("refunded", "Refunded"), ("refused", "Refused")],
                        max_length=8,
                        verbose_name="answer",
                    ),
                ),
                ("lines", models.JSONField(default=list, verbose_name="lines")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="in words to the customer")),
                ("refund_micros", accounts.money.MicrosField(default=0, verbose_name="refund")),
                ("cost_micros", accounts.money.MicrosField(default=0, verbose_name="cost")),
                ("answered_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="answered")),
                ("carried_out_at", models.DateTimeField(blank=True, null=True, verbose_name="carried out")),
                ("fell_through_at", models.DateTimeField(blank=True, null=True, verbose_name="fell through")),
                (
                    "answered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim_answers",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "replacement",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replacement_of",
                        to="orders.order",
                        verbose_name="replacement",
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim_answer",
                        to="wallet.moneyrequest",
                        verbose_name="move by hand",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer about goods",
                "verbose_name_plural": "answers about goods",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                kind="refused",
                                carried_out_at__isnull=False,
                                request=None,
                                refund_micros=0,
                                cost_micros=0,
                            ),
                            models.Q(kind="refunded", request__isnull=False, refund_micros__gt=0, cost_micros=0),
                            models.Q(kind="replaced", request__isnull=False, refund_micros=0, cost_micros__gt=0),
                            _connector="OR",
                        ),
                        name="claim_answer_moves_what_it_says",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            kind="replaced", carried_out_at__isnull=False, replacement__isnull=False
                        )
                        | ~models.Q(kind="replaced", carried_out_at__isnull=False) & models.Q(replacement=None),
                        name="claim_answer_replaces_once_carried_out",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(fell_through_at=None) | models.Q(replacement__isnull=False),
                        name="only_replacements_fall_through",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="goodsclaim",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Reported"),
                    ("replaced", "Replaced"),
                    ("refunded", "Refunded"),
                    ("refused", "Refused"),
                ],
                db_default="waiting",
                default="waiting",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="goodsclaim",
            name="warned_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="goodsclaim",
            name="answer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claims",
                to="orders.claimanswer",
                verbose_name="answer",
            ),
        ),
    ]
