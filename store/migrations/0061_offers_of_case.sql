-- migrate:up transaction:false
-- Whatever belongs to a case is found from it: the numbers of a year look at each of thousands. Beside the table, for it is written to all day.

CREATE INDEX CONCURRENTLY offers_case ON offers (dealer_id, case_id);

-- migrate:down
