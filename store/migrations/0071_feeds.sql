-- migrate:up
-- Cars that already speak, in words that are not ours: which feeds a dealer has, which of a feed's cars is which of ours,
-- and what they have said until the gateway of that car has judged it.

CREATE TABLE feeds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    kind text NOT NULL,           -- a name of gateway/feeds/register.py
    root text,                    -- over MQTT: the level or levels with which its topics begin
    key_hash bytea,               -- by HTTPS: sha256 of the key that opens its door
    signing bytea,                -- by HTTPS: the secret with which its sender signs, sealed
    made_at timestamptz NOT NULL,
    off_at timestamptz,
    UNIQUE (dealer_id, id),
    CHECK ((root IS NULL) <> (key_hash IS NULL))
);
CREATE UNIQUE INDEX feeds_root ON feeds (root) WHERE off_at IS NULL;
SELECT protect('feeds');
GRANT SELECT ON feeds TO telltale_gateway, telltale_worker, telltale_desk;
GRANT INSERT, UPDATE ON feeds TO telltale_office;

CREATE TABLE feed_cars (
    dealer_id bigint NOT NULL,
    feed_id bigint NOT NULL,
    identity text NOT NULL CHECK (identity <> ''),  -- what the feed calls the car
    vehicle_id bigint NOT NULL,
    units jsonb NOT NULL DEFAULT '{}',              -- kind of unit -> how this car says it, where that is not the usual way
    mapped_at timestamptz NOT NULL,
    PRIMARY KEY (feed_id, identity),
    FOREIGN KEY (dealer_id, feed_id) REFERENCES feeds (dealer_id, id)
);
CREATE INDEX feed_cars_vehicle ON feed_cars (vehicle_id);
SELECT protect('feed_cars');
GRANT SELECT, INSERT ON feed_cars TO telltale_gateway;
GRANT SELECT ON feed_cars TO telltale_worker, telltale_desk;
GRANT INSERT, UPDATE, DELETE ON feed_cars TO telltale_office;

CREATE TABLE feed_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    feed_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    bucket smallint NOT NULL,     -- whose gateway judges it
    vin text NOT NULL,
    way text NOT NULL CHECK (way IN ('telemetry', 'diagnostics')),
    body bytea NOT NULL,          -- in our own contract
    received_at timestamptz NOT NULL
);
CREATE INDEX feed_messages_bucket ON feed_messages (bucket, id);
CREATE INDEX feed_messages_feed ON feed_messages (feed_id);
SELECT protect('feed_messages');
GRANT SELECT, INSERT, DELETE ON feed_messages TO telltale_gateway;
GRANT SELECT ON feed_messages TO telltale_worker;

-- migrate:down
