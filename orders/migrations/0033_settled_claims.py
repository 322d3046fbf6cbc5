from django.db import migrations, models

from accounts.online_migrations import AddConstraintWithoutLock


class Migration(migrations.Migration):
    atomic = False  # each of its statements is one of its own

    dependencies = [("orders", "0032_claims_waiting")]

    operations = [
        AddConstraintWithoutLock(
            model_name="goodsclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(state="waiting", answer=None)
                | ~models.Q(state="waiting") & models.Q(answer__isnull=False),
                name="a_settled_claim_has_its_answer",
            ),
        ),
    ]
