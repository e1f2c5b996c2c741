-- migrate:up
-- Keys of programs know what they may do and when they were last used; a demo's dealer is known as such.

ALTER TABLE secrets ADD COLUMN scopes text[];              -- of a key; NULL: made before keys had scopes (dealer_api/scopes.py, BEFORE_SCOPES)
ALTER TABLE secrets ADD COLUMN last_used_at timestamptz;   -- of a key, to the hour

ALTER TABLE secrets DROP CONSTRAINT secrets_purpose_check;
ALTER TABLE secrets ADD CONSTRAINT secrets_purpose_check
    CHECK (purpose IN ('api_key', 'invitation', 'reset', 'offer', 'journey', 'driver', 'feedback', 'preferences'));

ALTER TABLE dealers ADD COLUMN demo boolean NOT NULL DEFAULT false;
-- The sign-in page and the phones of a demo show its people before anybody is known. A real dealer's row never says demo.
CREATE POLICY of_a_demo ON dealers FOR SELECT TO telltale_desk USING (demo);

-- Who has chosen a password can let others in. FORCE is lifted for a moment: the owner of the tables has no policy of its own.
ALTER TABLE staff ADD COLUMN joined_at timestamptz;
ALTER TABLE staff NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_ins NO FORCE ROW LEVEL SECURITY;
UPDATE staff s SET joined_at = i.changed_at FROM sign_ins i WHERE i.staff_id = s.id AND i.password_hash IS NOT NULL;
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_ins FORCE ROW LEVEL SECURITY;

-- migrate:down
