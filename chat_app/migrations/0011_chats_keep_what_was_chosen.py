"""Chats keep the settings that somebody chose; what answers from is no switch of models."""

from __future__ import annotations

from django.db import migrations

# Each question stored all of its settings; the two temperatures are those that nobody chose.
FORGET_USUAL = """
UPDATE chat_app_chat SET params = params - 'temperature'
WHERE params->>'temperature' IN ('0', '0.0', '0.7')
"""
NO_SWITCH = """
UPDATE chat_app_deploymentevent SET model_id = NULL
WHERE (detail LIKE 'quotes %' OR detail LIKE 'writes %') AND detail NOT LIKE '% answers%'
"""


class Migration(migrations.Migration):
    dependencies = [("chat_app", "0010_retired_names_let_go_of_knowledge")]
    operations = [
        migrations.RunSQL(FORGET_USUAL, migrations.RunSQL.noop),
        migrations.RunSQL(NO_SWITCH, migrations.RunSQL.noop),
    ]
