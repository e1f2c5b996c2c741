-- migrate:up
-- Who comes in, from where and how often they tried. All times here are machine time.

-- Tries are counted before they are looked at, by all processes in one place. A key is a keyed digest (account, place, device), so the
-- table says nothing about anybody. `until`: when the counted tries are forgotten, each one limit's share later than the one before.
CREATE TABLE attempts (
    key bytea PRIMARY KEY,
    until timestamptz NOT NULL
);
CREATE INDEX attempts_over ON attempts (until);
GRANT SELECT, INSERT, UPDATE, DELETE ON attempts TO telltale_desk;

-- Browsers and places from which somebody has signed in: strangers who guess cannot shut these out.
CREATE TABLE devices (
    dealer_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    hash bytea NOT NULL,          -- sha256 of the browser's cookie
    place bytea NOT NULL,         -- keyed digest
    last_at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, staff_id, hash),
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
SELECT protect('devices');
GRANT SELECT, INSERT, UPDATE, DELETE ON devices TO telltale_desk;
DROP POLICY machines ON devices;
-- Who is let go by a command is signed out and forgotten too.
GRANT SELECT (dealer_id, staff_id), DELETE ON devices, sessions TO telltale_office;
CREATE POLICY office ON devices TO telltale_office USING (true);
CREATE POLICY office ON sessions TO telltale_office USING (true);

-- What a person sees of their own sessions.
ALTER TABLE sessions ADD COLUMN seen_at timestamptz;                            -- to the minute
ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '';                -- in words: Firefox on Windows
ALTER TABLE sessions ADD COLUMN place text NOT NULL DEFAULT '';                 -- coarse: 203.0.113.x
ALTER TABLE sessions ADD COLUMN proof text NOT NULL DEFAULT 'password';         -- what let them in
ALTER TABLE sessions ADD COLUMN second_factor boolean NOT NULL DEFAULT false;   -- whether there was more than a password
ALTER TABLE sessions ADD COLUMN waits boolean NOT NULL DEFAULT false;           -- the password was right, the second factor is still to come: opens nothing
CREATE INDEX sessions_person ON sessions (dealer_id, staff_id);

-- migrate:down
