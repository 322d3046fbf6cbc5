"""Services that staff has put into another category, and services with a markup of their own."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from accounts.online_migrations import AddIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0017_services_in_order_for_staff")]

    operations = [
        migrations.AddField(
            "service",
            "markup_percent",
            models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Added to today's cost instead of the rules of its category. Empty: those rules count.",
                max_digits=7,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(10000),
                ],
                verbose_name="own markup, %",
            ),
        ),
        migrations.AddField(
            "service",
            "upstream_category",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.category",
                verbose_name="upstream category",
            ),
        ),
        migrations.AddField(
            "service",
            "upstream_subcategory",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="catalog.subcategory",
                verbose_name="upstream subcategory",
            ),
        ),
        AddIndexWithoutLock(
            "service",
            models.Index(
                fields=["upstream_category"],
                condition=Q(upstream_category__isnull=False),
                name="service_moved_by_staff",
            ),
        ),
    ]
