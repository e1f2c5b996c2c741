-- migrate:up
-- `telltale check` lets a car of its own speak and takes it away without trace; nobody may delete anything about any other car.
-- It also says which migrations are missing.

GRANT SELECT ON schema_migrations TO telltale_office;

GRANT DELETE ON vehicles TO telltale_office;
CREATE POLICY only_of_a_check ON vehicles AS RESTRICTIVE FOR DELETE TO telltale_office USING (vin LIKE 'TELLTALECHECK%');

DO $$
DECLARE about text;
BEGIN
    FOREACH about IN ARRAY ARRAY['readings', 'latest', 'checkpoints', 'gaps', 'quarantine'] LOOP
        EXECUTE format('GRANT DELETE ON %I TO telltale_office', about);
        EXECUTE format('CREATE POLICY only_of_a_check ON %I AS RESTRICTIVE FOR DELETE TO telltale_office '
                       'USING (vehicle_id IN (SELECT id FROM vehicles WHERE vin LIKE ''TELLTALECHECK%%''))', about);
    END LOOP;
END $$;

-- migrate:down
