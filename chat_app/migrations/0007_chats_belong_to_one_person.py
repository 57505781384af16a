"""Chats were never shared, nor deleted other than for good: two columns go that nobody read."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat_app", "0006_pipelines_belong_to_the_loop")]

    operations = [
        migrations.RemoveField(model_name="chat", name="is_shared"),
        migrations.RemoveField(model_name="chat", name="deleted_at"),
    ]
