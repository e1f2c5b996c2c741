-- migrate:up
-- A person who let a refused message in may take it back: the gateway folds the car again without it.

ALTER TABLE quarantine DROP CONSTRAINT quarantine_decided_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_decided_check CHECK (decided IN ('accepted', 'rejected', 'taken_back'));
ALTER TABLE quarantine ADD COLUMN taken_back_at timestamptz;  -- when the gateway has folded the car without it
CREATE INDEX quarantine_taken_back ON quarantine (vehicle_id) WHERE decided = 'taken_back' AND taken_back_at IS NULL;

-- migrate:down
