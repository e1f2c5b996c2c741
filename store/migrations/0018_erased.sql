-- migrate:up
-- A person is erased and the books stay: a pseudonym stands where they stood since then.

ALTER TABLE owners ADD COLUMN erased_at timestamptz;

-- migrate:down
