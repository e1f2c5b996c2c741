-- migrate:up
-- A car that is repaired where it stands: a way for work and car to come together, a van as a resource, the uses of its
-- time, a technician's way to the car, and the promise to be there.

ALTER TABLE offers DROP CONSTRAINT offers_kind_check,
    ADD CONSTRAINT offers_kind_check CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow', 'mobile_repair')) NOT VALID;
ALTER TABLE bookings DROP CONSTRAINT bookings_kind_check,
    ADD CONSTRAINT bookings_kind_check CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow', 'mobile_repair')) NOT VALID;
ALTER TABLE resources DROP CONSTRAINT resources_kind_check,
    ADD CONSTRAINT resources_kind_check CHECK (kind IN ('driver', 'bay', 'loaner', 'tow_truck', 'technician', 'van'))
    NOT VALID;
ALTER TABLE slots DROP CONSTRAINT slots_use_check,
    ADD CONSTRAINT slots_use_check CHECK (use IN ('collect', 'work', 'return', 'loaner', 'tow', 'labour', 'way', 'van'))
    NOT VALID;
ALTER TABLE legs DROP CONSTRAINT legs_kind_check,
    ADD CONSTRAINT legs_kind_check CHECK (kind IN ('collect', 'return', 'visit')) NOT VALID;
ALTER TABLE promises DROP CONSTRAINT promises_what_check,
    ADD CONSTRAINT promises_what_check CHECK (what IN ('collect', 'bring', 'ready', 'return', 'visit')) NOT VALID;

-- migrate:down
