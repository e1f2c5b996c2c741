-- migrate:up transaction:false
-- The list of owners goes on from where a page ended. Beside the table, for it is written to all day.

CREATE INDEX CONCURRENTLY owners_by_name ON owners (dealer_id, name, id);

-- migrate:down
