from django.db import migrations


def give_each_project_its_site(apps, schema_editor):
    """One website or app for each name that projects have."""
    Site, Project = apps.get_model("sms", "Site"), apps.get_model("sms", "Project")
    names = Project.objects.order_by("name").values_list("name", flat=True).distinct()
    Site.objects.bulk_create([Site(name=name, search_text=name.lower()) for name in names], batch_size=1000)
    for site in Site.objects.all():
        Project.objects.filter(name=site.name).update(site=site)


class Migration(migrations.Migration):
    dependencies = [("sms", "0002_sites_rules_and_swaps")]

    operations = [migrations.RunPython(give_each_project_its_site, migrations.RunPython.noop)]
