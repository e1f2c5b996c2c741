-- migrate:up
-- Where somebody of ours is on the way to a customer, while that drive lasts and its page is open: one place, no track. It
-- goes with the next step. And the checks that 0067 widened hold for all rows by now.

ALTER TABLE legs ADD COLUMN position text, ADD COLUMN position_at timestamptz;
ALTER TABLE offers VALIDATE CONSTRAINT offers_kind_check;
ALTER TABLE bookings VALIDATE CONSTRAINT bookings_kind_check;
ALTER TABLE resources VALIDATE CONSTRAINT resources_kind_check;
ALTER TABLE slots VALIDATE CONSTRAINT slots_use_check;
ALTER TABLE legs VALIDATE CONSTRAINT legs_kind_check;
ALTER TABLE promises VALIDATE CONSTRAINT promises_what_check;

-- migrate:down
