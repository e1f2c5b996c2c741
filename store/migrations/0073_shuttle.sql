-- migrate:up
-- A way to come: the owner brings the car, and the house's shuttle takes them on.

ALTER TABLE offers DROP CONSTRAINT offers_kind_check,
    ADD CONSTRAINT offers_kind_check
    CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow', 'mobile_repair', 'shuttle')) NOT VALID;
ALTER TABLE bookings DROP CONSTRAINT bookings_kind_check,
    ADD CONSTRAINT bookings_kind_check
    CHECK (kind IN ('pickup', 'drop_off', 'waiting', 'tow', 'mobile_repair', 'shuttle')) NOT VALID;

-- migrate:down
