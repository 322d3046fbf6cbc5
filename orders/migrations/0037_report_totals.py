"""Tables of the totals that reports are read from; the first run of the task fills them."""

import accounts.money
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0036_cashback'),
    ]

    operations = [
        migrations.CreateModel(
            name='GatewayTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('gateway', models.CharField(max_length=20)),
                ('payments', models.PositiveBigIntegerField(default=0)),
                ('paid_in_micros', accounts.money.MicrosField(default=0)),
                ('fees_micros', accounts.money.MicrosField(default=0)),
                ('bonus_micros', accounts.money.MicrosField(default=0)),
                ('taken_back_micros', accounts.money.MicrosField(default=0)),
            ],
            options={
                'verbose_name': 'gateway total',
                'verbose_name_plural': 'gateway totals',
                'constraints': [models.UniqueConstraint(fields=('day', 'gateway'), name='total_once_per_day_and_gateway')],
            },
        ),
        migrations.CreateModel(
            name='Total',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.CharField(choices=[('d', 'Day'), ('m', 'Month'), ('q', 'Quarter')], max_length=1)),
                ('first', models.DateField()),
                ('dimension', models.CharField(max_length=10)),
                ('key', models.BigIntegerField()),
                ('sales_micros', accounts.money.MicrosField(default=0)),
                ('discounts_micros', accounts.money.MicrosField(default=0)),
                ('refunds_micros', accounts.money.MicrosField(default=0)),
                ('claim_refunds_micros', accounts.money.MicrosField(default=0)),
                ('expected_micros', accounts.money.MicrosField(default=0)),
                ('cost_micros', accounts.money.MicrosField(default=0)),
                ('replacements_micros', accounts.money.MicrosField(default=0)),
                ('orders', models.PositiveBigIntegerField(default=0)),
                ('completed', models.PositiveBigIntegerField(default=0)),
                ('partial', models.PositiveBigIntegerField(default=0)),
                ('failed', models.PositiveBigIntegerField(default=0)),
                ('refunded', models.PositiveBigIntegerField(default=0)),
                ('done_seconds', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'report total',
                'verbose_name_plural': 'report totals',
                'indexes': [models.Index(fields=['dimension', 'key', 'first'], name='totals_of_a_key')],
                'constraints': [models.UniqueConstraint(fields=('dimension', 'span', 'first', 'key'), name='total_once_per_span_and_key')],
            },
        ),
        migrations.CreateModel(
            name='TotalSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.CharField(choices=[('d', 'Day'), ('m', 'Month'), ('q', 'Quarter')], max_length=1)),
                ('first', models.DateField()),
                ('way', models.CharField(blank=True, max_length=200)),
                ('reckoned_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'span of report totals',
                'verbose_name_plural': 'spans of report totals',
                'constraints': [models.UniqueConstraint(fields=('span', 'first'), name='total_span_once')],
            },
        ),
    ]
