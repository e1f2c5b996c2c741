-- migrate:up
-- What an erasure does beyond the rows that the desk may change.

GRANT UPDATE (body, from_address, to_address) ON phone_texts TO telltale_desk, telltale_worker;
GRANT UPDATE (values) ON latest TO telltale_desk;

-- The desk acts for the dealer that its transaction has named, also through a function that sees past row security.
CREATE FUNCTION only_of(dealer bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF session_user = 'telltale_desk' AND app_dealer() IS DISTINCT FROM dealer THEN RAISE insufficient_privilege USING MESSAGE = 'another dealer''s'; END IF;
END $$;
REVOKE ALL ON FUNCTION only_of(bigint) FROM PUBLIC;

-- Where a car was between two moments goes out of its readings, whatever day they lie in.
CREATE FUNCTION forget_where(dealer bigint, car bigint, signals smallint[], since timestamptz, until timestamptz)
    RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    leaf regclass;
    done integer := 0;
    here integer;
BEGIN
    PERFORM only_of(dealer);
    FOR leaf IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'readings'::regclass
                UNION SELECT to_regclass(leaf_of(day)) FROM detached_days WHERE to_regclass(leaf_of(day)) IS NOT NULL LOOP
        EXECUTE format('UPDATE %s r SET (ids, vals) = (SELECT coalesce(array_agg(u.i ORDER BY u.n), ''{}''), coalesce(array_agg(u.v ORDER BY u.n), ''{}'') '
                       'FROM unnest(r.ids, r.vals) WITH ORDINALITY AS u (i, v, n) WHERE NOT u.i = ANY ($3)) '
                       'WHERE dealer_id = $1 AND vehicle_id = $2 AND ids && $3 AND ts >= $4 AND ts < $5', leaf) USING dealer, car, signals, since, until;
        GET DIAGNOSTICS here = ROW_COUNT;
        done := done + here;
    END LOOP;
    RETURN done;
END $$;

-- Words go out of these rows of history; what stands for them in the chain are keyed hashes. The row of the erasure must be there and says which.
CREATE FUNCTION take_out_words(dealer bigint, erasure bigint, rows bigint[], hashes bytea[])
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM only_of(dealer);
    IF NOT EXISTS (SELECT FROM history h WHERE h.id = erasure AND h.dealer_id = dealer AND h.noun = 'owner' AND h.new = 'erased') THEN
        RAISE insufficient_privilege USING MESSAGE = 'no erasure says so';
    END IF;
    INSERT INTO audit_removals (history_id, dealer_id, words, erasure_id)
        SELECT h.id, dealer, n.hash, erasure FROM unnest(rows, hashes) AS n (id, hash) JOIN history h ON h.id = n.id AND h.dealer_id = dealer;
    UPDATE history h SET reason = '(words removed)' WHERE h.dealer_id = dealer AND h.id = ANY (rows);
END $$;

-- Consents are only ever added to; of somebody who was erased the yes or no and its day stay, where and with which words it was said does not.
CREATE POLICY owner_of_the_functions ON consents USING (current_user = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'public.consents'::regclass)));
CREATE POLICY owner_of_the_functions ON owners FOR SELECT USING (current_user = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'public.owners'::regclass)));
CREATE FUNCTION blank_consents(dealer bigint, person bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM only_of(dealer);
    IF NOT EXISTS (SELECT FROM owners o WHERE o.dealer_id = dealer AND o.id = person AND o.erased_at IS NOT NULL) THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody was erased';
    END IF;
    UPDATE consents c SET source = 'erased', wording = '' WHERE c.dealer_id = dealer AND c.owner_id = person;
END $$;

REVOKE ALL ON FUNCTION blank_consents(bigint, bigint), forget_where(bigint, bigint, smallint[], timestamptz, timestamptz), take_out_words(bigint, bigint, bigint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION blank_consents(bigint, bigint), forget_where(bigint, bigint, smallint[], timestamptz, timestamptz), take_out_words(bigint, bigint, bigint[], bytea[]) TO telltale_desk, telltale_office;

-- migrate:down
