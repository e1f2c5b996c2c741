-- migrate:up
-- Offers, held slots, bookings and the drives that belong to them.

CREATE TABLE resources (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    kind text NOT NULL CHECK (kind IN ('driver', 'bay', 'loaner')),
    name text NOT NULL,
    staff_id bigint,              -- a driver is a person
    retired_at timestamptz,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, kind, name),
    FOREIGN KEY (dealer_id, staff_id) REFERENCES staff (dealer_id, id)
);
SELECT protect('resources');
GRANT SELECT, UPDATE ON resources TO telltale_worker, telltale_desk, telltale_owner_page;  -- UPDATE: to lock the row before its time is taken
GRANT INSERT ON resources TO telltale_worker, telltale_desk;

CREATE TABLE offers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    case_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pickup', 'drop_off', 'waiting')),
    state text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id)
);
CREATE UNIQUE INDEX offers_one_open ON offers (dealer_id, case_id) WHERE state = 'open';
SELECT protect('offers');
GRANT SELECT, INSERT, UPDATE ON offers TO telltale_worker, telltale_desk;
GRANT SELECT, UPDATE, INSERT ON offers TO telltale_owner_page;

CREATE TABLE slots (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    during tstzrange NOT NULL CHECK (NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during)
                                     AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL
                                     AND isfinite(lower(during)) AND isfinite(upper(during))),
    state text NOT NULL CHECK (state IN ('held', 'booked', 'released')),
    offer_id bigint,
    choice smallint,
    booking_id bigint,
    expires_at timestamptz,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, resource_id) REFERENCES resources (dealer_id, id),
    FOREIGN KEY (dealer_id, offer_id) REFERENCES offers (dealer_id, id),
    EXCLUDE USING gist (resource_id WITH =, during WITH &&) WHERE (state <> 'released')
);
CREATE INDEX slots_offer ON slots (dealer_id, offer_id);
SELECT protect('slots');
GRANT SELECT, INSERT, UPDATE ON slots TO telltale_worker, telltale_desk, telltale_owner_page;

CREATE TABLE bookings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    case_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pickup', 'drop_off', 'waiting')),
    state text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    wall_start text NOT NULL,     -- what the person saw, in `zone`
    zone text NOT NULL,
    address text,
    loaner_id bigint,
    ready_by timestamptz,
    last_word_at timestamptz,
    finding text,                 -- what the workshop found
    made_at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id),
    FOREIGN KEY (dealer_id, vehicle_id) REFERENCES vehicles (dealer_id, id)
);
CREATE UNIQUE INDEX bookings_one_live ON bookings (dealer_id, case_id) WHERE state NOT IN ('completed', 'cancelled');
SELECT protect('bookings');
GRANT SELECT, INSERT, UPDATE ON bookings TO telltale_worker, telltale_desk, telltale_owner_page;
ALTER TABLE slots ADD FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id);

CREATE TABLE legs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('collect', 'return')),
    state text NOT NULL,
    driver_id bigint,
    slot_id bigint,
    address text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, booking_id, kind),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id),
    FOREIGN KEY (dealer_id, driver_id) REFERENCES staff (dealer_id, id)
);
SELECT protect('legs');
GRANT SELECT, INSERT, UPDATE ON legs TO telltale_worker, telltale_desk, telltale_owner_page;

CREATE TABLE estimate_lines (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    title text NOT NULL,
    amount_minor bigint NOT NULL,
    answer text CHECK (answer IN ('approved', 'declined')),
    answered_at timestamptz,
    answered_by text,
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id)
);
SELECT protect('estimate_lines');
GRANT SELECT, INSERT, UPDATE ON estimate_lines TO telltale_desk, telltale_worker;
GRANT SELECT, UPDATE ON estimate_lines TO telltale_owner_page;

-- migrate:down
