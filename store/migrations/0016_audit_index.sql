-- migrate:up transaction:false
-- A manager reads what happened, the newest first. Beside the table, for everybody writes to it.

CREATE INDEX CONCURRENTLY history_newest ON history (dealer_id, id DESC);

-- migrate:down
