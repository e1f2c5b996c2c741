-- migrate:up
-- A car says a signal in another unit than ours, and a person has accepted that: what it says is kept as it is said, and
-- read in our unit from the marker row on that the gateway writes.

CREATE TABLE unit_corrections (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    vehicle_id bigint NOT NULL,
    signals smallint[] NOT NULL CHECK (cardinality(signals) > 0),
    unit text NOT NULL,
    because text NOT NULL,        -- what spoke for it
    state text NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'undone')),
    accepted_by text NOT NULL,
    accepted_at timestamptz NOT NULL,
    read_since timestamptz,       -- when the gateway began to read it so
    undone_by text,
    undone_at timestamptz,
    read_until timestamptz,       -- when it ceased to
    UNIQUE (dealer_id, id)
);
CREATE INDEX unit_corrections_vehicle ON unit_corrections (vehicle_id);
CREATE INDEX unit_corrections_waiting ON unit_corrections (id)
    WHERE read_since IS NULL OR (state = 'undone' AND read_until IS NULL);
SELECT protect('unit_corrections');
GRANT SELECT, UPDATE ON unit_corrections TO telltale_gateway;
GRANT SELECT ON unit_corrections TO telltale_worker;
GRANT SELECT, INSERT, UPDATE ON unit_corrections TO telltale_desk;

-- migrate:down
