"""Answers outlive what is known, without its words."""

from __future__ import annotations

from django.db import migrations, models

import chat_app.models.generation

FORGET = """
UPDATE chat_app_generation SET prompt_ids = '[]'::jsonb, sources = (
    SELECT jsonb_agg(one - 'question' - 'answer' ORDER BY place)
    FROM jsonb_array_elements(sources) WITH ORDINALITY told (one, place))
WHERE knowledge_id IS NULL AND sources <> '[]'::jsonb
"""


class Migration(migrations.Migration):
    dependencies = [("chat_app", "0011_chats_keep_what_was_chosen")]
    operations = [
        migrations.AlterField(
            model_name="generation",
            name="knowledge",
            field=models.ForeignKey(
                null=True,
                on_delete=chat_app.models.generation.forget_knowledge,
                related_name="+",
                to="datasets_app.knowledge",
            ),
        ),
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
    ]
