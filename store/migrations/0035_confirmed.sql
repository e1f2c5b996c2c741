-- migrate:up
-- A car that does not speak cannot prove its repair: its case is closed by a person, and how they knew is kept.

ALTER TABLE cases ADD COLUMN confirmed text CHECK (confirmed IN ('owner', 'test_drive', 'technician'));

-- migrate:down
