-- migrate:up
-- A car that must not be driven is fetched by a tow truck: a way to come, and, where the dealer has trucks of their own, a resource whose time is taken.

ALTER TABLE offers DROP CONSTRAINT offers_kind_check,
    ADD CONSTRAINT offers_kind_check CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow')) NOT VALID;
ALTER TABLE bookings DROP CONSTRAINT bookings_kind_check,
    ADD CONSTRAINT bookings_kind_check CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow')) NOT VALID;
ALTER TABLE resources DROP CONSTRAINT resources_kind_check,
    ADD CONSTRAINT resources_kind_check CHECK (kind IN ('driver', 'bay', 'loaner', 'tow_truck')) NOT VALID;
ALTER TABLE slots DROP CONSTRAINT slots_use_check,
    ADD CONSTRAINT slots_use_check CHECK (use IN ('collect', 'work', 'return', 'loaner', 'tow')) NOT VALID;

-- migrate:down
