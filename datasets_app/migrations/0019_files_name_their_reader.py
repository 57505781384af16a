"""A file that broke off is read on only by the reader that began it; others begin anew."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0018_uploads_have_a_purpose")]

    operations = [
        migrations.AddField(
            model_name="sourcefile",
            name="reader",
            field=models.CharField(
                default="", help_text="whose items the cursor counts", max_length=60
            ),
        )
    ]
