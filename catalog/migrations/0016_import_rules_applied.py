from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0015_margins_import_rules_and_edits'),
    ]

    operations = [
        migrations.AddField(
            model_name='pricelist',
            name='import_basis',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
    ]
