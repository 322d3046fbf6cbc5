"""`number_of_project` begins with the project."""

from django.db import migrations

from accounts.online_migrations import DropForeignKeyIndexWithoutLock


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sms", "0002_number_of_project")]

    operations = [DropForeignKeyIndexWithoutLock("number", "project")]
