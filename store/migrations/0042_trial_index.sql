-- migrate:up transaction:false
-- What rules on trial have found, and what came of it, is looked up by dealer. Beside the table, for cars write to it all the time.

CREATE INDEX CONCURRENTLY alerts_on_trial ON alerts (dealer_id, rule, id) WHERE shadow OR spoke_at IS NOT NULL;

-- migrate:down
