-- migrate:up
-- History from files. One row for each file and mapping, moved on in the transactions that store its rows: whoever is killed goes on there.

CREATE TABLE readings_imports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    fingerprint text NOT NULL,    -- sha256 of the file and its mapping
    file text NOT NULL,           -- its name
    started_at timestamptz NOT NULL,
    done_at timestamptz,
    records bigint NOT NULL DEFAULT 0,  -- lines of data that are settled
    stored bigint NOT NULL DEFAULT 0,
    known bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0,
    refused jsonb NOT NULL DEFAULT '{}',  -- reason -> times, first lines, an example
    UNIQUE (dealer_id, fingerprint)
);
SELECT protect('readings_imports');
GRANT SELECT, INSERT, UPDATE ON readings_imports TO telltale_gateway;
GRANT SELECT ON readings_imports TO telltale_worker, telltale_desk;

-- migrate:down
