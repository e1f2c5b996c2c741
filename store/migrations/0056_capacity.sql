-- migrate:up
-- How many visits of a kind a day takes, as the dealer says; and technicians, whose hours are planned once a manager says
-- what they know: a resource like a driver, with skills, and a use of its own for the time of theirs that a visit takes.

ALTER TABLE dealers ADD COLUMN day_limits text NOT NULL DEFAULT '';
ALTER TABLE resources ADD COLUMN skills text[] NOT NULL DEFAULT '{}';
ALTER TABLE resources DROP CONSTRAINT resources_kind_check,
    ADD CONSTRAINT resources_kind_check CHECK (kind IN ('driver', 'bay', 'loaner', 'tow_truck', 'technician')) NOT VALID;
ALTER TABLE slots DROP CONSTRAINT slots_use_check,
    ADD CONSTRAINT slots_use_check CHECK (use IN ('collect', 'work', 'return', 'loaner', 'tow', 'labour')) NOT VALID;

-- migrate:down
