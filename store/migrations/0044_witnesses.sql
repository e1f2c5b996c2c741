-- migrate:up
-- The car's own word on each drive that we made with it: written once by a worker; somebody at the desk may say that they saw it.

CREATE TABLE witnesses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    leg_id bigint NOT NULL,
    since timestamptz NOT NULL,   -- from the keys
    until timestamptz NOT NULL,   -- to the keys
    messages integer NOT NULL,
    distance_km real,
    minutes integer,              -- for which it moved
    top_speed_kmh real,
    codes_before text[] NOT NULL,
    codes_after text[] NOT NULL,
    odd text[] NOT NULL,          -- what the desk should look at
    written_at timestamptz NOT NULL,
    seen_at timestamptz,
    seen_by text,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, leg_id),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id),
    FOREIGN KEY (dealer_id, leg_id) REFERENCES legs (dealer_id, id)
);
CREATE INDEX witnesses_booking ON witnesses (dealer_id, booking_id);
CREATE INDEX witnesses_odd ON witnesses (dealer_id) WHERE odd <> '{}' AND seen_at IS NULL;
SELECT protect('witnesses');
GRANT SELECT, INSERT ON witnesses TO telltale_worker;
GRANT SELECT, UPDATE (seen_at, seen_by) ON witnesses TO telltale_desk;
GRANT SELECT ON witnesses TO telltale_owner_page;

-- A calendar that somebody subscribes to, by a link that can be taken back.
ALTER TABLE secrets DROP CONSTRAINT secrets_purpose_check;
ALTER TABLE secrets ADD CONSTRAINT secrets_purpose_check
    CHECK (purpose IN ('api_key', 'invitation', 'reset', 'offer', 'journey', 'driver', 'feedback', 'preferences', 'calendar')) NOT VALID;

-- migrate:down
