import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0013_service_news")]

    operations = [
        migrations.AddField(
            model_name="service",
            name="warranty_days",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(36500)],
                verbose_name="warranty, days",
            ),
        ),
    ]
