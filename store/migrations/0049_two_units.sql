-- migrate:up
-- Two units that speak as one car: whether we only say so, or stop both until one is enrolled anew.

ALTER TABLE dealers ADD COLUMN two_units text NOT NULL DEFAULT 'tell' CHECK (two_units IN ('tell', 'stop'));

-- migrate:down
