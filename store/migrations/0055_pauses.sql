-- migrate:up
-- Work on a car that is here waits: for a part, for the owner's answer. A row of its own beside the visit, whose state
-- stays what it was.

CREATE TABLE pauses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'over')),
    awaits text NOT NULL CHECK (awaits IN ('part', 'answer', 'other')),
    what text NOT NULL,
    due_at timestamptz NOT NULL,      -- when what is awaited should be there
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    over_at timestamptz,
    UNIQUE (dealer_id, id),
    CHECK ((state = 'over') = (over_at IS NOT NULL)),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id)
);
CREATE INDEX pauses_booking ON pauses (dealer_id, booking_id);
CREATE UNIQUE INDEX pauses_one_open ON pauses (dealer_id, booking_id) WHERE state = 'open';
SELECT protect('pauses');
GRANT SELECT, INSERT, UPDATE ON pauses TO telltale_worker, telltale_desk;
GRANT SELECT ON pauses TO telltale_owner_page;

-- migrate:down
