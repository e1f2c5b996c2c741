-- migrate:up transaction:false
-- The list of cars goes on from where a page ended. Beside the table, for it is written to all day.

CREATE INDEX CONCURRENTLY vehicles_by_title ON vehicles (dealer_id, title, id);

-- migrate:down
