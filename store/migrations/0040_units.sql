-- migrate:up
-- The desk shows since when a car speaks with another unit: that stands beside what has arrived of it.

GRANT SELECT (dealer_id, vehicle_id, frontier) ON checkpoints TO telltale_desk;

-- migrate:down
