"""What customers said of mails about orders and about prices holds on, as choices of kinds.

Mails about orders were also those about requests; kinds that are new belong to orders, so whoever wanted no mail gets
none of them either.
"""

from django.db import migrations

ROWS_AT_ONCE = 1000
ABOUT_ORDERS = ("orders", "numbers", "goods", "answers")


def carry_over(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    NoticeChoice = apps.get_model("notifications", "NoticeChoice")

    def keep(users, kinds, wanted):
        rows = []
        for pk in users.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=ROWS_AT_ONCE):
            rows += [NoticeChoice(user_id=pk, kind=kind, channel="mail", wanted=wanted) for kind in kinds]
            if len(rows) >= ROWS_AT_ONCE:
                NoticeChoice.objects.bulk_create(rows, ignore_conflicts=True)
                rows = []
        NoticeChoice.objects.bulk_create(rows, ignore_conflicts=True)

    keep(User.objects.filter(wants_mail=False), ABOUT_ORDERS, False)
    keep(User.objects.filter(wants_price_mail=True), ["prices"], True)


def keep_as_they_are(apps, schema_editor):
    """The columns of accounts still say what was chosen before."""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0007_unread_news"), ("accounts", "0001_initial")]

    operations = [migrations.RunPython(carry_over, keep_as_they_are)]
