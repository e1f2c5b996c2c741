-- migrate:up
-- What somebody proves beside a password: an authenticator app, a passkey, a recovery code. All times here are machine time.

ALTER TABLE dealers ADD COLUMN second_factor text NOT NULL DEFAULT 'nobody' CHECK (second_factor IN ('nobody', 'managers', 'everybody'));  -- of whom it is asked

CREATE TABLE authenticators (
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    secret bytea NOT NULL,             -- sealed with a key that follows from the house's secret
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,          -- NULL until the first code was right
    used_step bigint NOT NULL DEFAULT 0,  -- the half minute of the newest code that was taken: each counts once
    PRIMARY KEY (dealer_id, staff_id),
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
CREATE TABLE recovery_codes (
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    hash bytea NOT NULL,               -- sha256 of 80 random bits
    PRIMARY KEY (dealer_id, staff_id, hash),
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
CREATE TABLE passkeys (
    id bytea PRIMARY KEY,              -- as the authenticator names it
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    label text NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
CREATE INDEX passkeys_person ON passkeys (dealer_id, staff_id);

DO $$
DECLARE factor text;
BEGIN
    FOREACH factor IN ARRAY ARRAY['authenticators', 'recovery_codes', 'passkeys'] LOOP
        PERFORM protect(factor::regclass);
        EXECUTE format('DROP POLICY machines ON %I', factor);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO telltale_desk', factor);
        -- Who has lost everything is helped by a command, which can take factors away and never reads one.
        EXECUTE format('GRANT SELECT (dealer_id, staff_id), DELETE ON %I TO telltale_office', factor);
        EXECUTE format('CREATE POLICY office ON %I TO telltale_office USING (true)', factor);
    END LOOP;
END $$;
REVOKE UPDATE ON recovery_codes FROM telltale_desk;

-- A passkey says who comes before their dealer is known. The function runs as the table's owner, whom FORCE shuts out as well.
CREATE POLICY owner_of_the_functions ON passkeys USING (current_user = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'public.passkeys'::regclass)));
CREATE FUNCTION passkey_of(passkey bytea) RETURNS TABLE (dealer_id bigint, staff_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT p.dealer_id, p.staff_id FROM passkeys p WHERE p.id = passkey $$;
REVOKE ALL ON FUNCTION passkey_of(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION passkey_of(bytea) TO telltale_desk;

-- Sign-ins, refusals, keys and roles, newest first, as a manager reads them.
CREATE INDEX history_access ON history (dealer_id, id) WHERE noun IN ('staff', 'key', 'dealer');

-- migrate:down
