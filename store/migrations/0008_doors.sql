-- migrate:up
-- Somebody who comes in is looked up before their dealer is known: by e-mail, by the hash of a secret, by the number a text was
-- sent to. Until now these tables were readable whole. Now each look-up is a function that takes one exact key and answers with
-- what that door needs; the tables themselves show a dealer its own rows like all others.
-- telltale_office, the role of the commands (`telltale staff invite`, `key create` …), may do what the workers may, and make people and keys.

DO $$
DECLARE door text;
BEGIN
    FOREACH door IN ARRAY ARRAY['sign_ins', 'secrets', 'sessions', 'senders'] LOOP
        EXECUTE format('DROP POLICY by_secret ON %I', door);
        EXECUTE format('DROP POLICY machines ON %I', door);
        -- The functions below run as the tables' owner, whom FORCE shuts out as well: this is the owner's way in, whatever it is called.
        EXECUTE format('CREATE POLICY owner_of_the_functions ON %I USING (current_user = pg_get_userbyid('
                       '(SELECT relowner FROM pg_class WHERE oid = %L::regclass))) ', door, 'public.' || door);
        EXECUTE format('REVOKE ALL ON %I FROM telltale_worker, telltale_owner_page', door);
    END LOOP;
END $$;

-- Passwords: nobody reads a hash but `sign_in_of`, and only the desk, for its own dealer, sets one.
REVOKE ALL ON sign_ins FROM telltale_desk;
GRANT SELECT (email, dealer_id, staff_id, changed_at), INSERT, UPDATE (password_hash, changed_at) ON sign_ins TO telltale_desk;
GRANT INSERT ON sign_ins TO telltale_office;
CREATE POLICY office ON sign_ins FOR INSERT TO telltale_office WITH CHECK (true);

-- Workers make the links that their texts carry, and nothing that lets a person or a program in.
GRANT INSERT ON secrets TO telltale_worker;
CREATE POLICY links ON secrets FOR INSERT TO telltale_worker WITH CHECK (purpose IN ('offer', 'journey', 'driver', 'feedback', 'preferences'));
GRANT SELECT, INSERT, UPDATE ON secrets TO telltale_office;
CREATE POLICY office ON secrets TO telltale_office USING (true) WITH CHECK (true);
GRANT SELECT (dealer_id, purpose, subject_id, label, revoked_at), INSERT, UPDATE (used_at, revoked_at) ON secrets TO telltale_owner_page;

GRANT SELECT ON senders TO telltale_worker;
GRANT INSERT, UPDATE ON senders TO telltale_office;
CREATE POLICY machines ON senders TO telltale_worker USING (true);
CREATE POLICY office ON senders TO telltale_office USING (true) WITH CHECK (true);

-- Dealers and their people are made by commands and at the desk; no text needs that.
REVOKE INSERT, UPDATE ON dealers, staff FROM telltale_worker;
GRANT INSERT, UPDATE ON dealers, staff TO telltale_office;

CREATE FUNCTION sign_in_of(address text) RETURNS TABLE (dealer_id bigint, staff_id bigint, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.dealer_id, s.staff_id, s.password_hash FROM sign_ins s WHERE s.email = address $$;

CREATE FUNCTION session_of(session_id text, machine_now timestamptz) RETURNS TABLE (dealer_id bigint, staff_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.dealer_id, s.staff_id FROM sessions s WHERE s.id = session_id AND s.expires_at > machine_now $$;

CREATE FUNCTION secret_of(digest bytea, purposes text[]) RETURNS SETOF secrets
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.* FROM secrets s WHERE s.hash = digest AND s.purpose = ANY (purposes) $$;

CREATE FUNCTION dealer_at(number text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.dealer_id FROM senders s WHERE s.address = number $$;

REVOKE ALL ON FUNCTION sign_in_of(text), session_of(text, timestamptz), secret_of(bytea, text[]), dealer_at(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_of(text), session_of(text, timestamptz), secret_of(bytea, text[]), dealer_at(text) TO telltale_desk;
GRANT EXECUTE ON FUNCTION secret_of(bytea, text[]) TO telltale_owner_page;

-- The demo phone's texts belong to the dealer that sent them.
ALTER TABLE phone_texts ADD COLUMN dealer_id bigint;
UPDATE phone_texts t SET dealer_id = s.dealer_id FROM senders s WHERE s.address = t.from_address;
CREATE INDEX phone_texts_dealer ON phone_texts (dealer_id, to_address, id);
DROP INDEX phone_texts_pair;
SELECT protect('phone_texts');
REVOKE INSERT ON phone_texts FROM telltale_desk;

-- What is not named in a search_path, the caller's temporary tables, is looked through first.
ALTER FUNCTION open_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION drop_day(integer) SET search_path = public, pg_temp;

REVOKE ALL ON FUNCTION protect(regclass), app_dealer() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_dealer() TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;

-- migrate:down
