"""Moves by hand that confirm a payment or refund an order say which."""

from django.db import migrations, models

import accounts.money


class Migration(migrations.Migration):
    dependencies = [("wallet", "0006_refunds_by_id")]

    operations = [
        migrations.AddField(
            model_name="moneyrequest",
            name="about",
            field=models.CharField(blank=True, db_default="", default="", max_length=60, verbose_name="about"),
        ),
        migrations.AddField(
            model_name="moneyrequest",
            name="act",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="moneyrequest",
            name="received_micros",
            field=accounts.money.MicrosField(db_default=0, default=0, verbose_name="received"),
        ),
        migrations.AlterField(
            model_name="moneyrequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("adjustment", "Adjustment"),
                    ("withdrawal", "Withdrawal"),
                    ("payment", "Confirmed payment"),
                    ("refund", "Refund"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
