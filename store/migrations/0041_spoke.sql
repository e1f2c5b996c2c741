-- migrate:up
-- A rule that leaves its trial: what it had found by then is put before the desk, and this says when.

ALTER TABLE alerts ADD COLUMN spoke_at timestamptz;  -- found on trial, before the desk since then

-- migrate:down
