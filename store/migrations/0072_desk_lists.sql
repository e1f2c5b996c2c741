-- migrate:up
-- Lists of the desk: a case may rest until a moment (whatever changes it wakes it: changed_at is later than snoozed_at
-- then), and a view of a list is kept under a name.

ALTER TABLE cases ADD COLUMN snoozed_at timestamptz, ADD COLUMN snoozed_until timestamptz;

CREATE TABLE saved_views (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    staff_id bigint NOT NULL,     -- who made it
    shared boolean NOT NULL,      -- colleagues see it
    list text NOT NULL,           -- queue, vehicles, owners, inbox
    name text NOT NULL,
    query text NOT NULL,          -- of the list's address, without a place in it
    made_at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, staff_id, list, name)
);
SELECT protect('saved_views');
GRANT SELECT, INSERT, DELETE ON saved_views TO telltale_desk;

-- migrate:down
