"""What replaces goods has no price; `order_has_price_or_replaces` holds all the others to theirs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0030_price_or_replaces")]

    operations = [migrations.RemoveConstraint(model_name="order", name="order_has_price_and_quantity")]
