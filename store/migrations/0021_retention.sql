-- migrate:up
-- A day of readings leaves in two steps: it is detached, and dropped a day of machine time later; until then it can be attached again
-- (`telltale retention --attach-back`, or `SELECT attach_day(day)`). Nobody can take a day away in one step, whatever their clock says.

CREATE TABLE detached_days (
    day integer PRIMARY KEY,
    detached_at timestamptz NOT NULL  -- machine time, by the database's own clock
);
GRANT SELECT ON detached_days TO telltale_gateway, telltale_worker;

-- A person's word, for a day of machine time: what day it is where no car speaks any more, and how many days may go at once.
CREATE TABLE retention_word (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    today date,
    at_once integer CHECK (at_once > 0),
    said_at timestamptz NOT NULL      -- machine time
);
GRANT SELECT ON retention_word TO telltale_gateway;
GRANT SELECT, INSERT, UPDATE ON retention_word TO telltale_worker;

CREATE FUNCTION leaf_of(day integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT 'readings_' || to_char(date '1970-01-01' + day, 'YYYYMMDD') $$;

-- False: somebody is reading the day, try again later. What stays in hand of other gateways fails from now on, so that no row is written into a day that goes.
CREATE FUNCTION detach_day(gone integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET lock_timeout = '100ms' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('open_day'));
    IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = 'readings'::regclass AND inhrelid = to_regclass(leaf_of(gone))) THEN RETURN true; END IF;
    EXECUTE format('ALTER TABLE readings DETACH PARTITION %I', leaf_of(gone));
    EXECUTE format('REVOKE ALL ON %I FROM telltale_gateway', leaf_of(gone));
    INSERT INTO detached_days VALUES (gone, clock_timestamp());
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN RETURN false;
END $$;

-- A day that was detached by mistake, or that somebody writes to again, is there again with all its rows.
CREATE FUNCTION attach_day(back integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('open_day'));
    DELETE FROM detached_days WHERE day = back;
    IF NOT FOUND THEN RETURN false; END IF;
    EXECUTE format('ALTER TABLE readings ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', leaf_of(back), back, back + 1);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO telltale_gateway', leaf_of(back));
    RETURN true;
END $$;

-- For good, and only what has been detached for a day.
CREATE FUNCTION drop_detached_day(gone integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET lock_timeout = '100ms' AS $$
BEGIN
    DELETE FROM detached_days WHERE day = gone AND detached_at <= clock_timestamp() - interval '24 hours';
    IF NOT FOUND THEN RETURN false; END IF;
    EXECUTE format('DROP TABLE %I', leaf_of(gone));
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN RETURN false;
END $$;

-- What an older gateway calls beside a newer one: it destroys nothing any more.
CREATE OR REPLACE FUNCTION drop_day(gone integer) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public
    AS $$ SELECT detach_day(gone) $$;

CREATE OR REPLACE FUNCTION open_day(wanted integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE leaf text := leaf_of(wanted);
BEGIN
    IF wanted < 16436 THEN RETURN 'readings_impossible'; END IF;
    IF wanted > 47481 THEN RAISE EXCEPTION 'day % is out of bounds', wanted; END IF;  -- 2100-01-01
    IF EXISTS (SELECT 1 FROM detached_days WHERE day = wanted) THEN PERFORM attach_day(wanted); END IF;
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
END $$;

-- Rows of days that have no leaf of their own go when they were *received* before the limit; some at a time. How many went.
CREATE FUNCTION drop_strays(received_before timestamptz, most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE gone integer;
BEGIN
    DELETE FROM readings_impossible WHERE ctid IN (SELECT ctid FROM readings_impossible WHERE received_at < received_before LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['detach_day(integer)', 'attach_day(integer)', 'drop_detached_day(integer)', 'drop_strays(timestamptz, integer)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO telltale_gateway', name);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION attach_day(integer) TO telltale_worker;

-- migrate:down
