-- migrate:up
-- Where the house and its customers are (latitude and longitude, as schemas/place.py writes them), how far cars are fetched, what a driver must know
-- at the door and whom they meet there, how long the way takes; and when a person is away.

ALTER TABLE dealers
    ADD COLUMN place text NOT NULL DEFAULT '',
    ADD COLUMN pickup_radius_km integer NOT NULL DEFAULT 0;  -- 0: no limit
ALTER TABLE owners
    ADD COLUMN place text,
    ADD COLUMN access_notes text,
    ADD COLUMN contact text;
ALTER TABLE legs
    ADD COLUMN place text,
    ADD COLUMN access_notes text,
    ADD COLUMN contact text,
    ADD COLUMN travel_minutes integer,  -- from the house to the owner
    ADD COLUMN travel_by text;          -- who says so: the estimate, or a road service

CREATE TABLE absences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,               -- taken back
    UNIQUE (dealer_id, id),
    CHECK (starts_at < ends_at),
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
CREATE INDEX absences_time ON absences (dealer_id, ends_at) WHERE ended_at IS NULL;
SELECT protect('absences');
GRANT SELECT, INSERT, UPDATE ON absences TO telltale_worker, telltale_desk;
GRANT SELECT ON absences TO telltale_owner_page;

-- migrate:down
