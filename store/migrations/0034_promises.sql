-- migrate:up
-- Every time that was given stands in a row of its own, with what became of it. Visits that are under way get theirs from the workers' sweep.

CREATE TABLE promises (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    leg_id bigint,                -- the drive that keeps it
    what text NOT NULL CHECK (what IN ('collect', 'bring', 'ready', 'return')),
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'kept', 'moved', 'broken', 'void')),
    made_at timestamptz NOT NULL,
    warned_at timestamptz,        -- our own people were told
    owner_told_at timestamptz,    -- the owner was told that we will not make it
    must_ring boolean NOT NULL DEFAULT false,  -- the owner cannot be texted: our people were asked to ring
    settled_at timestamptz,       -- it left the state open
    done_at timestamptz,          -- what was promised came true
    UNIQUE (dealer_id, id),
    CHECK ((state = 'open') = (settled_at IS NULL)),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id),
    FOREIGN KEY (dealer_id, leg_id) REFERENCES legs (dealer_id, id)
);
CREATE UNIQUE INDEX promises_one_open ON promises (dealer_id, booking_id, what) WHERE state = 'open';
CREATE INDEX promises_booking ON promises (dealer_id, booking_id);
CREATE INDEX promises_due ON promises (due_at) WHERE state = 'open';
SELECT protect('promises');
GRANT SELECT, INSERT, UPDATE ON promises TO telltale_worker, telltale_desk, telltale_owner_page;

-- migrate:down
