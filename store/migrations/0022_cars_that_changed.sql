-- migrate:up
-- A gateway learns what has changed about its own cars, and need not read all cars again to know.

-- As schemas/vehicle.py:bucket_of says it: crc32 of the VIN, modulo 16 (half a byte at a time).
CREATE FUNCTION bucket_of(vin text) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    crc bigint := 4294967295;
    octet integer;
    steps constant bigint[] := ARRAY[0, 498536548, 997073096, 651767980, 1994146192, 1802195444, 1303535960, 1342533948,
                                     3988292384, 4027552580, 3604390888, 3412177804, 2607071920, 2262029012, 2685067896, 3183342108];
BEGIN
    FOR i IN 1..length(vin) LOOP
        octet := ascii(substr(vin, i, 1));
        crc := (crc >> 4) # steps[((crc # octet) & 15) + 1];
        crc := (crc >> 4) # steps[((crc # (octet >> 4)) & 15) + 1];
    END LOOP;
    RETURN ((crc # 4294967295) & 15)::integer;
END $$;
REVOKE ALL ON FUNCTION bucket_of(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bucket_of(text) TO telltale_gateway, telltale_worker, telltale_desk;  -- also whoever writes a car works out its bucket
CREATE INDEX vehicles_bucket ON vehicles (bucket_of(vin), id);

-- A running number, not a time: no clock can be wrong, and whoever remembers where it stood some minutes ago misses nothing that was committed since.
CREATE SEQUENCE vehicle_changes;
ALTER TABLE vehicles ADD COLUMN changed bigint;  -- NULL: not since this column is there
CREATE INDEX vehicles_changed ON vehicles (changed);

CREATE FUNCTION vehicle_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.changed := nextval('vehicle_changes');
    RETURN NEW;
END $$;
-- What a gateway must know of a car; when it was last heard is none of it.
CREATE TRIGGER vehicle_changed BEFORE INSERT OR UPDATE OF vin, dealer_id, profile, secret_hash, revoked_at ON vehicles
    FOR EACH ROW EXECUTE FUNCTION vehicle_changed();

CREATE FUNCTION vehicle_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('cars', json_build_object('vehicle', OLD.id, 'what', 'removed')::text);
    RETURN OLD;
END $$;
CREATE TRIGGER vehicle_removed AFTER DELETE ON vehicles FOR EACH ROW EXECUTE FUNCTION vehicle_removed();
REVOKE ALL ON FUNCTION vehicle_changed(), vehicle_removed() FROM PUBLIC;

-- migrate:down
