"""What the rows of the migration before now hold; apart from it, because PostgreSQL changes no table with open rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_charges_and_refusals")]

    operations = [
        migrations.AlterField(
            model_name="knownrefusal",
            name="plain_text",
            field=models.CharField(editable=False, max_length=900, unique=True),
        ),
    ]
