-- migrate:up
-- History is sealed: a worker gives each row its place in the chain of its dealer, with a keyed hash over the place before and over what
-- the row says. Writers wait for nobody; what is changed, removed or put in between after that is found (`telltale audit verify`).

-- The house's own key, made by `telltale migrate`. It lies here under a seal that only TELLTALE_SECRET opens: whoever has the database
-- alone can forge no seal. All times in this file are machine time.
CREATE TABLE house_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL
);
GRANT SELECT ON house_key TO telltale_worker, telltale_desk;

CREATE TABLE audit_seals (
    dealer_id bigint NOT NULL,
    position bigint NOT NULL,         -- 1, 2, 3 … of this dealer
    history_id bigint NOT NULL UNIQUE,
    hash bytea NOT NULL,              -- over the hash before, the place, the row and `sealed_at`
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, position)
);
SELECT protect('audit_seals');
GRANT SELECT, INSERT ON audit_seals TO telltale_worker;
GRANT SELECT ON audit_seals TO telltale_desk;

-- How far each chain has come: a chain whose end was cut off no longer fits its head.
CREATE TABLE audit_heads (
    dealer_id bigint PRIMARY KEY,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    proof bytea NOT NULL              -- keyed, over position and hash
);
SELECT protect('audit_heads');
GRANT SELECT, INSERT, UPDATE ON audit_heads TO telltale_worker;
GRANT SELECT ON audit_heads TO telltale_desk;

-- Words that were taken out of history when a person was erased. Their keyed hash stands for them in the chain, and the erasure's own
-- row of history says which rows they were, so that this is no way round the seal.
CREATE TABLE audit_removals (
    history_id bigint PRIMARY KEY,
    dealer_id bigint NOT NULL,
    words bytea NOT NULL,
    erasure_id bigint NOT NULL        -- the row of history that says why
);
SELECT protect('audit_removals');
GRANT SELECT ON audit_removals TO telltale_worker, telltale_desk;

-- migrate:down
