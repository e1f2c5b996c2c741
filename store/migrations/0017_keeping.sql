-- migrate:up
-- Each dealer says how long what it knows is kept; a worker takes away what is older, once a day, and says so in history.
-- The least and the most are those of schemas/keeping.py.

ALTER TABLE dealers
    ADD COLUMN keep_readings_days integer NOT NULL DEFAULT 400 CHECK (keep_readings_days BETWEEN 30 AND 3660),
    ADD COLUMN keep_positions_days integer NOT NULL DEFAULT 30 CHECK (keep_positions_days BETWEEN 1 AND 400),
    ADD COLUMN keep_texts_days integer NOT NULL DEFAULT 730 CHECK (keep_texts_days BETWEEN 30 AND 3660),
    ADD COLUMN keep_audit_days integer NOT NULL DEFAULT 3650 CHECK (keep_audit_days BETWEEN 365 AND 7320),
    ADD COLUMN keep_shortened_at timestamptz;  -- a limit that became shorter counts a day later: a slip of the hand can be taken back

-- When what was past its limit was last taken away; 0 is the house itself.
CREATE TABLE keeping_runs (
    dealer_id bigint PRIMARY KEY,
    ran_at timestamptz NOT NULL,
    gone jsonb NOT NULL DEFAULT '{}'  -- what -> how many
);
SELECT protect('keeping_runs');
GRANT SELECT, INSERT, UPDATE ON keeping_runs TO telltale_worker;
GRANT SELECT ON keeping_runs TO telltale_desk;

-- Days of readings from which a dealer's rows, or their positions, have gone already. `arrived` is what the database had counted
-- into that day by then: when it says another number later, the day is looked through again.
CREATE TABLE kept_days (
    dealer_id bigint NOT NULL,
    what text NOT NULL CHECK (what IN ('readings', 'positions')),
    day integer NOT NULL,
    arrived bigint NOT NULL,
    PRIMARY KEY (dealer_id, what, day)
);
SELECT protect('kept_days');
GRANT SELECT, INSERT, UPDATE, DELETE ON kept_days TO telltale_worker;

-- Some blocks of one day: a dealer's rows go or, with `signals`, only these values of them. Cars in `spared` keep theirs. In the day
-- that all impossible ones share (0) only what was received before the limit. NULL: the day has no more blocks.
CREATE FUNCTION thin_day(gone integer, dealer bigint, signals smallint[], spared bigint[], received_before timestamptz, first_block bigint, blocks integer)
    RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    leaf text := CASE WHEN gone = 0 THEN 'readings_impossible' ELSE leaf_of(gone) END;
    which text := 'dealer_id = $1 AND NOT vehicle_id = ANY ($3) AND ctid >= $4 AND ctid < $5'
                  || CASE WHEN gone = 0 THEN ' AND received_at < $6' ELSE '' END;
    done integer;
BEGIN
    IF to_regclass(leaf) IS NULL OR first_block * current_setting('block_size')::bigint >= pg_relation_size(to_regclass(leaf)) THEN RETURN NULL; END IF;
    IF signals IS NULL THEN
        which := format('DELETE FROM %I WHERE ', leaf) || which;
    ELSE
        which := format('UPDATE %I r SET (ids, vals) = (SELECT coalesce(array_agg(u.i ORDER BY u.n), ''{}''), coalesce(array_agg(u.v ORDER BY u.n), ''{}'') '
                        'FROM unnest(r.ids, r.vals) WITH ORDINALITY AS u (i, v, n) WHERE NOT u.i = ANY ($2)) WHERE ids && $2 AND ', leaf) || which;
    END IF;
    EXECUTE which USING dealer, signals, spared, format('(%s,0)', first_block)::tid, format('(%s,0)', first_block + blocks)::tid, received_before;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$;
REVOKE ALL ON FUNCTION thin_day(integer, bigint, smallint[], bigint[], timestamptz, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION thin_day(integer, bigint, smallint[], bigint[], timestamptz, bigint, integer) TO telltale_worker;

-- A car that is silent since says no longer where it was; a refused message is no longer there, only that and why it was refused.
GRANT UPDATE (values) ON latest TO telltale_worker;
GRANT UPDATE (payload) ON quarantine TO telltale_worker;
GRANT UPDATE (body) ON phone_texts TO telltale_worker;

-- Where a chain of history begins since its oldest rows have gone. `proof` is keyed, as that of its head.
CREATE TABLE audit_starts (
    dealer_id bigint PRIMARY KEY,
    position bigint NOT NULL,         -- the last place that is gone
    hash bytea NOT NULL,              -- what stood there
    proof bytea NOT NULL
);
SELECT protect('audit_starts');
GRANT SELECT ON audit_starts TO telltale_worker, telltale_desk;

-- The functions run as the owner of the tables, whom FORCE shuts out as well.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['history', 'audit_seals', 'audit_heads', 'audit_removals', 'audit_starts'] LOOP
        EXECUTE format('CREATE POLICY owner_of_the_functions ON %I USING (current_user = pg_get_userbyid('
                       '(SELECT relowner FROM pg_class WHERE oid = %L::regclass)))', name, 'public.' || name);
    END LOOP;
END $$;

-- The beginning of a dealer's chain up to that place, never its last place. What is left begins with a proof, or it is found.
CREATE FUNCTION cut_history(dealer bigint, upto bigint, new_proof bytea) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    cut bytea := (SELECT s.hash FROM audit_seals s WHERE s.dealer_id = dealer AND s.position = upto);
    done integer;
BEGIN
    IF cut IS NULL OR NOT EXISTS (SELECT FROM audit_heads h WHERE h.dealer_id = dealer AND h.position > upto) THEN RETURN 0; END IF;
    DELETE FROM history h USING audit_seals s WHERE s.history_id = h.id AND s.dealer_id = dealer AND s.position <= upto AND h.dealer_id = dealer;
    GET DIAGNOSTICS done = ROW_COUNT;
    DELETE FROM audit_removals r USING audit_seals s WHERE s.history_id = r.erasure_id AND s.dealer_id = dealer AND s.position <= upto;
    DELETE FROM audit_seals s WHERE s.dealer_id = dealer AND s.position <= upto;
    INSERT INTO audit_starts VALUES (dealer, upto, cut, new_proof)
        ON CONFLICT (dealer_id) DO UPDATE SET position = excluded.position, hash = excluded.hash, proof = excluded.proof;
    RETURN done;
END $$;
REVOKE ALL ON FUNCTION cut_history(bigint, bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cut_history(bigint, bigint, bytea) TO telltale_worker;

-- migrate:down
