-- migrate:up transaction:false
-- The cars of an owner are asked for wherever an owner is shown or found. Beside the table, for it is written to all day.

CREATE INDEX CONCURRENTLY vehicles_of_owner ON vehicles (dealer_id, owner_id) WHERE owner_id IS NOT NULL;

-- migrate:down
