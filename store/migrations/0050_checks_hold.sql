-- migrate:up
-- Four checks were widened for tow trucks without a look at old rows, so that nobody had to wait; now they are looked at, beside everybody's work.

ALTER TABLE offers VALIDATE CONSTRAINT offers_kind_check;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_kind_check;
ALTER TABLE resources VALIDATE CONSTRAINT resources_kind_check;
ALTER TABLE slots VALIDATE CONSTRAINT slots_use_check;

-- migrate:down
