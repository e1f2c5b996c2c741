-- migrate:up
-- Owners, their cars, and what the cars say.

CREATE TABLE owners (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    name text NOT NULL CHECK (name <> ''),
    phone text,                   -- E.164
    email text,
    channel text NOT NULL,
    language text NOT NULL,
    zone text NOT NULL,
    quiet_from time NOT NULL DEFAULT '20:00',
    quiet_to time NOT NULL DEFAULT '08:00',
    address text,
    stopped_at timestamptz,
    created_at timestamptz NOT NULL,
    UNIQUE (dealer_id, phone),
    UNIQUE (dealer_id, id)
);
SELECT protect('owners');
GRANT SELECT ON owners TO telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON owners TO telltale_worker, telltale_desk;
GRANT UPDATE ON owners TO telltale_owner_page;

CREATE TABLE vehicles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vin text NOT NULL UNIQUE CHECK (vin ~ '^[A-HJ-NPR-Z0-9]{17}$'),
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    dealer_since timestamptz NOT NULL,
    owner_id bigint,
    profile text NOT NULL,
    title text NOT NULL,
    plate text,
    secret_hash bytea,            -- sha256 of the car's MQTT secret; NULL: not enrolled
    enrolled_at timestamptz,
    revoked_at timestamptz,
    facts jsonb NOT NULL DEFAULT '{}',  -- last service date and distance, open recalls
    last_heard_at timestamptz,    -- receive time of its newest committed reading or status
    online boolean NOT NULL DEFAULT false,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id)
);
SELECT protect('vehicles');
GRANT SELECT ON vehicles TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;
GRANT UPDATE ON vehicles TO telltale_gateway, telltale_desk;
GRANT INSERT, UPDATE ON vehicles TO telltale_worker;
GRANT INSERT ON vehicles TO telltale_desk;

-- Who owned the car from when to when: nothing is read across epochs.
CREATE TABLE ownerships (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    FOREIGN KEY (dealer_id, vehicle_id) REFERENCES vehicles (dealer_id, id),
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id)
);
CREATE UNIQUE INDEX ownerships_current ON ownerships (dealer_id, vehicle_id) WHERE until IS NULL;
SELECT protect('ownerships');
GRANT SELECT ON ownerships TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON ownerships TO telltale_worker, telltale_desk;

-- One row per message. `day` is the date of the ts that the car wrote (days since 1970), 0 for impossible ones.
CREATE TABLE readings (
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    boot bigint NOT NULL,
    seq bigint NOT NULL,
    day integer NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    car_ts timestamptz,           -- what an impossible clock said
    mark smallint NOT NULL,
    place bigint,                 -- the car's running number, given when the row is judged
    ids smallint[] NOT NULL,      -- schemas/signal.py
    vals real[] NOT NULL,
    diagnostics jsonb,
    PRIMARY KEY (vehicle_id, boot, seq, day)
) PARTITION BY RANGE (day);
CREATE INDEX readings_time ON readings (vehicle_id, ts);
SELECT protect('readings');
GRANT SELECT ON readings TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;
GRANT INSERT, UPDATE ON readings TO telltale_gateway;

CREATE TABLE readings_impossible PARTITION OF readings FOR VALUES FROM (MINVALUE) TO (16436);  -- before 2015-01-01
GRANT SELECT, INSERT, UPDATE ON readings_impossible TO telltale_gateway;

-- Open a day's partition. The leaf has no policy and is granted to the gateway alone, because COPY is refused where a policy stands.
CREATE FUNCTION open_day(wanted integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE leaf text := 'readings_' || to_char(date '1970-01-01' + wanted, 'YYYYMMDD');
BEGIN
    IF wanted < 16436 THEN RETURN 'readings_impossible'; END IF;
    IF wanted > 47481 THEN RAISE EXCEPTION 'day % is out of bounds', wanted; END IF;  -- 2100-01-01
    IF to_regclass(leaf) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('open_day'));
        IF to_regclass(leaf) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', leaf);
            EXECUTE format('ALTER TABLE readings ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', leaf, wanted, wanted + 1);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO telltale_gateway', leaf);
        END IF;
    END IF;
    RETURN leaf;
END $$;
REVOKE ALL ON FUNCTION open_day(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_day(integer) TO telltale_gateway;

-- One row per value, for people.
CREATE VIEW reading_values WITH (security_invoker = true) AS
    SELECT r.dealer_id, r.vehicle_id, r.ts, r.received_at, r.boot, r.seq, r.place, r.mark, v.id AS signal_id, v.val
    FROM readings r, unnest(r.ids, r.vals) AS v (id, val);
GRANT SELECT ON reading_values TO telltale_gateway, telltale_worker, telltale_desk, telltale_owner_page;

-- The newest believed values of each car, for lists and freshness.
CREATE TABLE latest (
    vehicle_id bigint PRIMARY KEY,
    dealer_id bigint NOT NULL,
    ts timestamptz NOT NULL,
    values jsonb NOT NULL,        -- path -> [value, epoch seconds]
    hint jsonb NOT NULL DEFAULT '{}',  -- from `status`: shown, never judged
    FOREIGN KEY (dealer_id, vehicle_id) REFERENCES vehicles (dealer_id, id)
);
SELECT protect('latest');
GRANT SELECT ON latest TO telltale_worker, telltale_desk, telltale_owner_page;
GRANT SELECT, INSERT, UPDATE ON latest TO telltale_gateway;

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint,             -- NULL: from a car that nobody looks after
    vehicle_id bigint,
    vin text,
    topic text NOT NULL,
    payload bytea NOT NULL,       -- the first 64 KiB
    reason text NOT NULL,
    detail text NOT NULL,
    boot bigint,
    seq bigint,
    times bigint NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL,
    decided text CHECK (decided IN ('accepted', 'rejected')),
    decided_by text,
    decided_at timestamptz
);
CREATE INDEX quarantine_dealer ON quarantine (dealer_id, id DESC);
SELECT protect('quarantine');
GRANT SELECT, INSERT, UPDATE ON quarantine TO telltale_gateway;
GRANT SELECT ON quarantine TO telltale_worker;
GRANT SELECT, UPDATE ON quarantine TO telltale_desk;

CREATE TABLE checkpoints (
    vehicle_id bigint PRIMARY KEY,
    dealer_id bigint NOT NULL,
    place bigint NOT NULL,
    boot bigint NOT NULL,
    upto bigint NOT NULL,         -- everything of this boot up to here is judged
    ts timestamptz NOT NULL,      -- reading time
    versions jsonb NOT NULL,      -- rule -> version
    memory bytea NOT NULL
);
SELECT protect('checkpoints');
GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoints TO telltale_gateway;
GRANT SELECT ON checkpoints TO telltale_worker;

CREATE TABLE gaps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    boot bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    closed_at timestamptz,
    outcome text CHECK (outcome IN ('arrived', 'lost_at_the_car'))
);
CREATE UNIQUE INDEX gaps_open ON gaps (vehicle_id, boot, first_seq) WHERE closed_at IS NULL;
SELECT protect('gaps');
GRANT SELECT, INSERT, UPDATE ON gaps TO telltale_gateway;
GRANT SELECT ON gaps TO telltale_worker, telltale_desk;

-- Which gateway holds which bucket. Whoever holds it keeps a session-level advisory lock; the row says who.
CREATE TABLE leases (
    bucket integer PRIMARY KEY CHECK (bucket BETWEEN 0 AND 15),
    holder text,
    share text,
    taken_at timestamptz,
    wanted_by text                -- a gateway that asks for this bucket
);
INSERT INTO leases (bucket) SELECT generate_series(0, 15);
GRANT SELECT, UPDATE ON leases TO telltale_gateway;
GRANT SELECT ON leases TO telltale_worker, telltale_desk;

-- Services that count, for the desk: denied publishes, refused messages, broken rules.
CREATE TABLE tallies (
    dealer_id bigint NOT NULL,
    name text NOT NULL,           -- denied_publish | rule_broken:<rule> | …
    subject text NOT NULL,        -- a VIN, a rule
    times bigint NOT NULL,
    last_at timestamptz NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (dealer_id, name, subject)
);
SELECT protect('tallies');
GRANT SELECT, INSERT, UPDATE ON tallies TO telltale_gateway, telltale_worker;
GRANT SELECT ON tallies TO telltale_desk;

-- migrate:down
