from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0006_promised_losses'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
                ('passed_id', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'retention mark',
                'verbose_name_plural': 'retention marks',
            },
        ),
        migrations.AddField(
            model_name='goodsreveal',
            name='day',
            field=models.DateField(blank=True, null=True, verbose_name='day'),
        ),
        migrations.AddField(
            model_name='goodsreveal',
            name='last_address',
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name='last from address'),
        ),
        migrations.AddField(
            model_name='goodsreveal',
            name='last_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last viewed'),
        ),
        migrations.AddField(
            model_name='goodsreveal',
            name='looks',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='views'),
        ),
    ]
