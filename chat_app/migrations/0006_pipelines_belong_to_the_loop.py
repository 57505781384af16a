"""The tables of pipelines get the names under which the app `otto_loop` goes on with them."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat_app", "0005_answers_are_work")]

    operations = [
        migrations.AlterModelTable("pipeline", "otto_loop_pipeline"),
        migrations.AlterModelTable("pipelinestep", "otto_loop_pipelinestep"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("PipelineStep"),
                migrations.DeleteModel("Pipeline"),
            ]
        ),
    ]
