from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_price_list'),
    ]

    operations = [
        migrations.AddField(
            model_name='syncrun',
            name='holder',
            field=models.CharField(blank=True, default='', editable=False, max_length=200),
        ),
    ]
