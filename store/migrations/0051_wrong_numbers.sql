-- migrate:up
-- Whoever answers at a number or a mailbox said that it is not this owner's. It outlives a correction and the next list,
-- as keyed hashes: of the owner's number here, and of what they are called, for whoever is written down by that name.

CREATE TABLE wrong_numbers (
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    address bytea NOT NULL,       -- keyed with the house's own key, as in stops
    whose bytea NOT NULL,         -- and so is the name, folded, or which owner
    at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, address, whose)
);
SELECT protect('wrong_numbers');
GRANT SELECT, INSERT, UPDATE, DELETE ON wrong_numbers TO telltale_worker, telltale_desk, telltale_owner_page;

-- migrate:down
