-- migrate:up
-- One search for cars and owners, however somebody spells them: the words of what is known of each, folded (Süß, SÜSS and
-- suess are one), kept beside them by the database itself. Cars and owners that were there before get theirs from the
-- worker (store/finding.py): under row-level security an account that migrates may not see them.

CREATE TABLE search_words (
    dealer_id bigint NOT NULL,
    word text COLLATE "C" NOT NULL,      -- from its end, behind a colon, where people say the end of it: numbers, VINs
    noun text NOT NULL CHECK (noun IN ('vehicle', 'owner', 'reach')),  -- reach: an owner's numbers and mailboxes
    subject_id bigint NOT NULL,
    PRIMARY KEY (dealer_id, word, noun, subject_id)
);
CREATE INDEX search_words_subject ON search_words (dealer_id, noun, subject_id);
SELECT protect('search_words');
GRANT SELECT, INSERT, DELETE ON search_words TO telltale_desk, telltale_worker;

-- The marks of letters go, then the difference of large and small; written out, for what lower() knows hangs on the database's locale.
CREATE FUNCTION folded(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT translate(lower(replace(replace(replace(replace(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g'),
        'ß', 'ss'), 'ẞ', 'ss'), 'æ', 'ae'), 'Æ', 'ae')),
        'ŁłØøĐđıŦŧÞΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЄҐЂЈЉЊЋЏЅ',
        'llooddittþαβγδεζηθικλμνξοπρστυφχψωσабвгдежзиклмнопрстуфхцчшщъыьэюяієґђјљњћџѕ')
$$;
-- Müller as she writes it without an umlaut: what is asked is spelt out, what is known stands there in both ways.
CREATE FUNCTION spelt_out(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT replace(replace(replace(replace(replace(replace(normalize(said, NFC),
        'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'Ä', 'ae'), 'Ö', 'oe'), 'Ü', 'ue')
$$;
CREATE FUNCTION split_up(said text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT word FROM regexp_split_to_table(folded(said), '[^[:alnum:]\u0080-\U0010ffff]+') AS word WHERE word <> ''
$$;
CREATE FUNCTION words_of(said text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT split_up(said) UNION SELECT split_up(spelt_out(said))
$$;
-- Without what stands between: a plate or a number as one word, from its beginning and from its end.
CREATE FUNCTION joined(said text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT spelling FROM (SELECT regexp_replace(folded(said), '[^[:alnum:]\u0080-\U0010ffff]+', '', 'g') AS whole) AS one,
        unnest(ARRAY[whole, ':' || reverse(whole)]) AS spelling WHERE whole <> ''
$$;
CREATE FUNCTION words_of_vehicle(title text, plate text, vin text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT words_of(title) UNION SELECT words_of(plate) UNION SELECT joined(plate) UNION SELECT joined(vin)
$$;
CREATE FUNCTION words_of_reach(phone text, email text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT joined(phone) UNION SELECT words_of(email) UNION SELECT folded(email) WHERE email <> ''
$$;

-- As whoever writes: their rows, and no others.
CREATE FUNCTION vehicle_is_found() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM search_words WHERE dealer_id = OLD.dealer_id AND noun = 'vehicle' AND subject_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO search_words SELECT NEW.dealer_id, word, 'vehicle', NEW.id
            FROM words_of_vehicle(NEW.title, NEW.plate, NEW.vin) AS word ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION owner_is_found() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM search_words WHERE dealer_id = OLD.dealer_id AND noun IN ('owner', 'reach') AND subject_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO search_words SELECT NEW.dealer_id, word, 'owner', NEW.id FROM words_of(NEW.name) AS word
            UNION SELECT NEW.dealer_id, word, 'reach', NEW.id FROM words_of_reach(NEW.phone, NEW.email) AS word ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER vehicle_is_found AFTER INSERT OR DELETE ON vehicles FOR EACH ROW EXECUTE FUNCTION vehicle_is_found();
CREATE TRIGGER vehicle_is_found_anew AFTER UPDATE OF title, plate, vin, dealer_id ON vehicles FOR EACH ROW
    WHEN ((OLD.title, OLD.plate, OLD.vin, OLD.dealer_id) IS DISTINCT FROM (NEW.title, NEW.plate, NEW.vin, NEW.dealer_id))
    EXECUTE FUNCTION vehicle_is_found();
CREATE TRIGGER owner_is_found AFTER INSERT OR DELETE ON owners FOR EACH ROW EXECUTE FUNCTION owner_is_found();
CREATE TRIGGER owner_is_found_anew AFTER UPDATE OF name, phone, email ON owners FOR EACH ROW
    WHEN ((OLD.name, OLD.phone, OLD.email) IS DISTINCT FROM (NEW.name, NEW.phone, NEW.email))
    EXECUTE FUNCTION owner_is_found();
REVOKE ALL ON FUNCTION folded(text), spelt_out(text), split_up(text), words_of(text), joined(text), words_of_vehicle(text, text, text), words_of_reach(text, text),
    vehicle_is_found(), owner_is_found() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION folded(text), spelt_out(text), split_up(text), words_of(text), joined(text), words_of_vehicle(text, text, text), words_of_reach(text, text)
    TO telltale_desk, telltale_worker;

-- migrate:down
