"""The database itself refuses moves of a run that the state machine does not know."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION training_run_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'queued' THEN
            RAISE EXCEPTION 'a run begins queued, not %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.fence < OLD.fence OR NEW.seq < OLD.seq THEN
        RAISE EXCEPTION 'fence and sequence of a run only grow' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (
        (OLD.state = 'queued' AND NEW.state IN ('running', 'cancelled'))
        OR (OLD.state = 'running' AND NEW.state IN ('queued', 'succeeded', 'failed', 'cancelled'))
    ) THEN
        RAISE EXCEPTION 'a run does not move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_moves BEFORE INSERT OR UPDATE OF state, fence, seq ON training_app_run
    FOR EACH ROW EXECUTE FUNCTION training_run_move();
CREATE FUNCTION training_runevent_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of a run are never changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runevent_append_only BEFORE UPDATE ON training_app_runevent
    FOR EACH ROW EXECUTE FUNCTION training_runevent_kept();
ALTER TABLE training_app_runlease SET (fillfactor = 50);
"""
BACKWARD = """
ALTER TABLE training_app_runlease RESET (fillfactor);
DROP TRIGGER runevent_append_only ON training_app_runevent;
DROP FUNCTION training_runevent_kept();
DROP TRIGGER run_moves ON training_app_run;
DROP FUNCTION training_run_move();
"""


class Migration(migrations.Migration):
    dependencies = [("training_app", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
