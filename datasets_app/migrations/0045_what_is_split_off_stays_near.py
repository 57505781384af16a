from django.db import migrations, models
from django.db.models.functions import Cast, Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("datasets_app", "0044_robots_are_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="between",
            field=models.FloatField(
                null=True,
                help_text="the place in the order of arrival, of what was split off another row",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="arrival",
            field=models.GeneratedField(
                db_persist=True,
                expression=Coalesce("between", Cast("position", models.FloatField())),
                output_field=models.FloatField(),
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["dataset", "arrival", "id"], name="conversation_by_arrival"),
        ),
    ]
