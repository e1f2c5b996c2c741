-- migrate:up
-- The house rules of every table: `dealer_id` in each tenant row, FORCE row-level security, no now() anywhere,
-- and four service roles of which none owns anything. Passwords are set by `telltale migrate`.

CREATE EXTENSION IF NOT EXISTS btree_gist;

DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['telltale_gateway', 'telltale_worker', 'telltale_desk', 'telltale_owner_page'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', role_name);
        END IF;
    END LOOP;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- two databases of one server migrate at once
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;

-- The dealer of this transaction, set by SET LOCAL app.dealer; unset means nobody's rows.
CREATE FUNCTION app_dealer() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.dealer', true), '')::bigint $$;

-- Give a tenant table its lock: people's roles see one dealer, the machines' roles see what they are granted.
CREATE FUNCTION protect(tenant_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY own_dealer ON %s TO telltale_desk, telltale_owner_page '
                   'USING (dealer_id = app_dealer()) WITH CHECK (dealer_id = app_dealer())', tenant_table);
    EXECUTE format('CREATE POLICY machines ON %s TO telltale_gateway, telltale_worker USING (true) WITH CHECK (true)', tenant_table);
END $$;

-- Business time: what it was at the anchor, and how fast it runs against the machine's clock since `started`.
CREATE TABLE clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    anchor   timestamptz NOT NULL,
    started  timestamptz NOT NULL,  -- machine time
    speed    double precision NOT NULL CHECK (speed > 0)
);
GRANT SELECT ON clock TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON clock TO telltale_worker;

CREATE TABLE dealers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint GENERATED ALWAYS AS (id) STORED,
    name text NOT NULL CHECK (name <> ''),
    zone text NOT NULL,
    country text NOT NULL,
    phone text NOT NULL,          -- what a customer rings
    address text NOT NULL,
    opening_hours text NOT NULL,  -- OSM syntax
    language text NOT NULL,
    acknowledge_minutes_now integer NOT NULL DEFAULT 15,
    acknowledge_minutes_soon integer NOT NULL DEFAULT 60,
    waiting_word_minutes integer NOT NULL DEFAULT 30,
    offer_hold_minutes integer NOT NULL DEFAULT 240,
    created_at timestamptz NOT NULL
);
SELECT protect('dealers');
GRANT SELECT ON dealers TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON dealers TO telltale_worker;
GRANT UPDATE ON dealers TO telltale_desk;

CREATE TABLE staff (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    name text NOT NULL,
    email text NOT NULL,
    phone text,
    role text NOT NULL CHECK (role IN ('advisor', 'driver', 'technician', 'manager')),
    language text NOT NULL,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    UNIQUE (dealer_id, email),
    UNIQUE (dealer_id, id)
);
SELECT protect('staff');
GRANT SELECT ON staff TO telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON staff TO telltale_worker, telltale_desk;

-- Found before anybody's dealer is known: by e-mail, by the hash of a secret, or by the number a text was sent to.
CREATE TABLE sign_ins (
    email text PRIMARY KEY,
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL UNIQUE,
    password_hash text,           -- argon2id; NULL until the invitation is used
    changed_at timestamptz NOT NULL,
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
CREATE TABLE secrets (
    hash bytea PRIMARY KEY,       -- sha256 of 32 random bytes
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    purpose text NOT NULL CHECK (purpose IN ('api_key', 'invitation', 'offer', 'journey', 'driver', 'feedback', 'preferences')),
    staff_id bigint REFERENCES staff (id),
    owner_id bigint,
    vehicle_id bigint,
    subject_id bigint,            -- the offer, booking, leg or case it opens
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE TABLE sessions (
    id text PRIMARY KEY,          -- sha256 of the cookie
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL  -- machine time: a session is not business
);
CREATE TABLE senders (
    address text PRIMARY KEY,     -- the number or mailbox that owners answer to
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    channel text NOT NULL
);
DO $$
DECLARE door text;
BEGIN
    FOREACH door IN ARRAY ARRAY['sign_ins', 'secrets', 'sessions', 'senders'] LOOP
        PERFORM protect(door::regclass);
        EXECUTE format('CREATE POLICY by_secret ON %I FOR SELECT TO telltale_desk, telltale_owner_page USING (true)', door);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO telltale_worker, telltale_desk', door);
        EXECUTE format('GRANT SELECT ON %I TO telltale_owner_page', door);
    END LOOP;
END $$;
GRANT UPDATE ON secrets TO telltale_owner_page;
GRANT DELETE ON sessions TO telltale_desk, telltale_worker;

-- A POST that is repeated with its key gets the first answer again.
CREATE TABLE idempotency (
    dealer_id bigint NOT NULL,
    caller text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer,               -- NULL while the first call is under way
    body jsonb,
    at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, caller, key)
);
SELECT protect('idempotency');
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO telltale_desk, telltale_owner_page, telltale_worker;

-- A change of state is a row of its own.
CREATE TABLE history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    noun text NOT NULL,
    subject_id bigint NOT NULL,
    old text,
    new text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX history_subject ON history (dealer_id, noun, subject_id, id);
SELECT protect('history');
GRANT SELECT, INSERT ON history TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;

-- Work that waits for a worker: the row is the queue, NOTIFY the bell, a slow tick the safety net.
CREATE TABLE wakeups (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    topic text NOT NULL,          -- alert | case | offer | booking | message | vehicle …
    subject_id bigint NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    failed text                   -- why the last attempt did not work
);
CREATE INDEX wakeups_due ON wakeups (due_at, id);
SELECT protect('wakeups');
GRANT SELECT, INSERT, UPDATE, DELETE ON wakeups TO telltale_worker;
GRANT SELECT, INSERT ON wakeups TO telltale_gateway;
GRANT INSERT, SELECT ON wakeups TO telltale_desk, telltale_owner_page;

-- migrate:down
