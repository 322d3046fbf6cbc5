import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0003_sites_of_projects")]

    operations = [
        migrations.AlterField(
            model_name="project",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="projects",
                to="sms.site",
                verbose_name="website or app",
            ),
        ),
    ]
