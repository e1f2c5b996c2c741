-- migrate:up
-- What a car was like when it changed hands: written once and never changed. What is a person's in it goes with them, and nothing else.

ALTER TABLE dealers ADD COLUMN handover_record text NOT NULL DEFAULT 'return' CHECK (handover_record IN ('both', 'return', 'nobody'));

CREATE TABLE handovers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    leg_id bigint,                -- the drive at whose end it was made
    loaner_id bigint,             -- a record of our own car
    kind text NOT NULL CHECK (kind IN ('collect', 'return', 'loaner_out', 'loaner_in')),
    key text NOT NULL,            -- the sender's: the same record sent twice is one
    odometer_km integer NOT NULL CHECK (odometer_km >= 0),
    energy text NOT NULL CHECK (energy IN ('fuel', 'charge')),
    energy_percent smallint NOT NULL CHECK (energy_percent BETWEEN 0 AND 100),
    keys smallint NOT NULL CHECK (keys >= 0),
    marks jsonb NOT NULL,         -- damage on the outline
    photos text[] NOT NULL,       -- sha256 of each, in hex
    proof text NOT NULL CHECK (proof IN ('signature', 'code')),
    made_at timestamptz NOT NULL,      -- by the phone that it was filled in on
    recorded_at timestamptz NOT NULL,  -- by our clock
    actor text NOT NULL,
    name text NOT NULL,           -- these four are a person's
    note text NOT NULL,
    signature jsonb NOT NULL,
    salt bytea,
    person bytea NOT NULL,        -- salted digest of the person's part: stays when they are erased
    hash bytea NOT NULL,          -- over all else, and over `person`
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, booking_id, kind),
    CHECK ((kind IN ('loaner_out', 'loaner_in')) = (loaner_id IS NOT NULL)),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id),
    FOREIGN KEY (dealer_id, leg_id) REFERENCES legs (dealer_id, id),
    FOREIGN KEY (dealer_id, loaner_id) REFERENCES resources (dealer_id, id)
);
CREATE INDEX handovers_loaner ON handovers (dealer_id, loaner_id) WHERE loaner_id IS NOT NULL;
SELECT protect('handovers');

-- Photos come before their record does; with it they are fixed.
CREATE TABLE handover_photos (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('collect', 'return', 'loaner_out', 'loaner_in')),
    handover_id bigint,
    key text NOT NULL,            -- the sender's: the same photo sent twice is one
    view text NOT NULL CHECK (view IN ('front', 'rear', 'left', 'right', 'inside', 'detail')),
    place text NOT NULL,          -- its name on the shelf; empty once it is gone
    sha256 text NOT NULL,
    size integer NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    stored_at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, booking_id, kind, key),
    FOREIGN KEY (dealer_id, booking_id) REFERENCES bookings (dealer_id, id),
    FOREIGN KEY (dealer_id, handover_id) REFERENCES handovers (dealer_id, id)
);
CREATE INDEX handover_photos_record ON handover_photos (dealer_id, handover_id);
SELECT protect('handover_photos');

GRANT SELECT, INSERT ON handovers, handover_photos TO telltale_desk;
GRANT SELECT ON handovers, handover_photos TO telltale_worker, telltale_owner_page;
GRANT UPDATE (handover_id) ON handover_photos TO telltale_desk;
-- Only for an erasure: the triggers let nothing else through.
GRANT UPDATE (name, note, signature, salt, marks) ON handovers TO telltale_desk, telltale_office;
GRANT UPDATE (place) ON handover_photos TO telltale_desk, telltale_office;

CREATE FUNCTION of_the_erased(dealer bigint, booking bigint) RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM bookings b JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = c.owner_id
                   WHERE b.dealer_id = dealer AND b.id = booking AND o.erased_at IS NOT NULL)
$$;

-- Nobody changes a record, whatever role they have. Of somebody who was erased the name, the words and the signature become nothing.
CREATE FUNCTION handover_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    theirs text[] := ARRAY['name', 'note', 'signature', 'salt', 'marks'];
BEGIN
    IF TG_OP = 'UPDATE' AND of_the_erased(OLD.dealer_id, OLD.booking_id) AND to_jsonb(NEW) - theirs = to_jsonb(OLD) - theirs
       AND NEW.name = '' AND NEW.note = '' AND NEW.signature = '[]' AND NEW.salt IS NULL
       AND NEW.marks = (SELECT coalesce(jsonb_agg(m.mark || '{"note": ""}' ORDER BY m.n), '[]') FROM jsonb_array_elements(OLD.marks) WITH ORDINALITY AS m (mark, n)) THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'a handover record stays as it was written';
END $$;
CREATE TRIGGER handover_stands BEFORE UPDATE OR DELETE ON handovers FOR EACH ROW EXECUTE FUNCTION handover_stands();
CREATE TRIGGER handovers_stand BEFORE TRUNCATE ON handovers FOR EACH STATEMENT EXECUTE FUNCTION handover_stands();

-- A photo gets its record once. After that only its picture can go, with the person.
CREATE FUNCTION handover_photo_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.handover_id IS NULL AND to_jsonb(NEW) - 'handover_id' = to_jsonb(OLD) - 'handover_id' THEN RETURN NEW; END IF;
        IF NEW.place = '' AND to_jsonb(NEW) - 'place' = to_jsonb(OLD) - 'place' AND of_the_erased(OLD.dealer_id, OLD.booking_id) THEN RETURN NEW; END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'a photo of a handover record stays as it was taken';
END $$;
CREATE TRIGGER handover_photo_stands BEFORE UPDATE OR DELETE ON handover_photos FOR EACH ROW EXECUTE FUNCTION handover_photo_stands();
CREATE TRIGGER handover_photos_stand BEFORE TRUNCATE ON handover_photos FOR EACH STATEMENT EXECUTE FUNCTION handover_photo_stands();

REVOKE ALL ON FUNCTION of_the_erased(bigint, bigint), handover_stands(), handover_photo_stands() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION of_the_erased(bigint, bigint) TO telltale_desk, telltale_office;

-- migrate:down
