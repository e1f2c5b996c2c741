-- migrate:up
-- 0001 to 0005 were edited ten times before this file was written, so databases of different ages differ. Each step here brings
-- one of those edits to a database that lacks it and changes nothing in one that has it: from now on all are the same.
-- A migration that has landed is never edited again (store/migrate.py refuses a database whose migrations were).

ALTER TABLE clock ADD COLUMN IF NOT EXISTS seen timestamptz;
UPDATE clock SET seen = anchor WHERE seen IS NULL;
ALTER TABLE clock ALTER COLUMN seen SET NOT NULL;

ALTER TABLE dealers ADD COLUMN IF NOT EXISTS notice_minutes integer NOT NULL DEFAULT 60;
ALTER TABLE dealers ADD COLUMN IF NOT EXISTS workshop_minutes integer NOT NULL DEFAULT 120;
ALTER TABLE dealers ADD COLUMN IF NOT EXISTS drive_minutes integer NOT NULL DEFAULT 60;

DO $$
BEGIN
    IF (SELECT atttypid = 'jsonb'::regtype FROM pg_attribute WHERE attrelid = 'idempotency'::regclass AND attname = 'body') THEN
        ALTER TABLE idempotency ALTER COLUMN body TYPE bytea USING convert_to(body::text, 'UTF8');
    END IF;
    -- A checkpoint is a shortcut: without one the gateway folds the car's stored readings again.
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'checkpoints'::regclass AND attname = 'frontier') THEN
        TRUNCATE checkpoints;
        ALTER TABLE checkpoints ADD COLUMN day integer NOT NULL, ADD COLUMN frontier jsonb NOT NULL;
    END IF;
END $$;

GRANT INSERT ON secrets TO telltale_owner_page;

ALTER TABLE slots ADD COLUMN IF NOT EXISTS use text NOT NULL DEFAULT 'work' CHECK (use IN ('collect', 'work', 'return', 'loaner'));
CREATE INDEX IF NOT EXISTS slots_booking ON slots (dealer_id, booking_id);
CREATE INDEX IF NOT EXISTS slots_time ON slots USING gist (dealer_id, during) WHERE (state <> 'released');

ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS folded_at timestamptz;
CREATE INDEX IF NOT EXISTS quarantine_accepted ON quarantine (vehicle_id) WHERE decided = 'accepted' AND folded_at IS NULL;

ALTER TABLE leases ADD COLUMN IF NOT EXISTS beat_at timestamptz;

CREATE INDEX IF NOT EXISTS messages_under_way ON messages (to_address, due_at, id) WHERE state IN ('queued', 'claimed');

CREATE INDEX IF NOT EXISTS cases_live ON cases (dealer_id, (-CASE severity WHEN 'now' THEN 2 WHEN 'soon' THEN 1 ELSE 0 END), opened_at, id)
    WHERE state NOT IN ('done', 'dismissed');

DROP INDEX IF EXISTS readings_time;

-- Later migrations replace these two functions, so only their oldest forms are touched.
DO $$
BEGIN
    IF (SELECT prosrc NOT LIKE '%EXCEPTION WHEN%' FROM pg_proc WHERE oid = 'open_day(integer)'::regprocedure) THEN
        CREATE OR REPLACE FUNCTION open_day(wanted integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $f$
DECLARE leaf text := 'readings_' || to_char(date '1970-01-01' + wanted, 'YYYYMMDD');
BEGIN
    IF wanted < 16436 THEN RETURN 'readings_impossible'; END IF;
    IF wanted > 47481 THEN RAISE EXCEPTION 'day % is out of bounds', wanted; END IF;  -- 2100-01-01
    IF to_regclass(leaf) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('open_day'));
        BEGIN
            EXECUTE format('CREATE TABLE %I (LIKE readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', leaf);
            EXECUTE format('ALTER TABLE readings ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', leaf, wanted, wanted + 1);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO telltale_gateway', leaf);
        EXCEPTION WHEN duplicate_table THEN NULL;  -- another gateway was quicker; to_regclass may answer from a cache
        END;
    END IF;
    RETURN leaf;
END $f$;
    END IF;
    IF to_regprocedure('drop_day(integer)') IS NULL THEN
        CREATE FUNCTION drop_day(gone integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET lock_timeout = '100ms' AS $f$
DECLARE leaf text := 'readings_' || to_char(date '1970-01-01' + gone, 'YYYYMMDD');
BEGIN
    IF to_regclass(leaf) IS NOT NULL THEN
        EXECUTE format('ALTER TABLE readings DETACH PARTITION %I', leaf);
        EXECUTE format('DROP TABLE %I', leaf);
    END IF;
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN RETURN false;
END $f$;
        REVOKE ALL ON FUNCTION drop_day(integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION drop_day(integer) TO telltale_gateway;
    END IF;
END $$;

-- migrate:down
