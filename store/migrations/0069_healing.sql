-- migrate:up
-- The picture of a repair that the car has proved: what it measured before and after. It outlives the readings.

ALTER TABLE cases ADD COLUMN healing jsonb;

-- migrate:down
