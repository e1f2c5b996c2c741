-- migrate:up transaction:false
-- Whatever belongs to a case is found from it: the numbers of a year look at each of thousands. Beside the table, for it is written to all day.

CREATE INDEX CONCURRENTLY messages_case ON messages (dealer_id, case_id) WHERE case_id IS NOT NULL;

-- migrate:down
