"""Customers search their numbers by a part of the phone."""

from django.db import migrations

from accounts.online_migrations import search_indexes


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sms", "0003_one_index_of_number_project"), ("catalog", "0001_initial")]  # with the extension

    operations = [search_indexes("sms_number", {"number_phone_search": "phone"})]
