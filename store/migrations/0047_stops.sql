-- migrate:up
-- STOP belongs to a number or a mailbox, and to a dealer. It outlives whoever was reached there: as a keyed hash, which
-- the database alone cannot read. And two people may share one number.

CREATE TABLE stops (
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    address bytea NOT NULL,       -- keyed with the house's own key
    stopped boolean NOT NULL,
    source text NOT NULL,         -- '': an address that was met, and has said nothing yet
    at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, address)
);
SELECT protect('stops');
GRANT SELECT, INSERT, UPDATE ON stops TO telltale_worker, telltale_desk, telltale_owner_page;
GRANT SELECT ON house_key TO telltale_owner_page;

ALTER TABLE owners DROP CONSTRAINT owners_dealer_id_phone_key;
CREATE INDEX owners_phone ON owners (dealer_id, phone);
CREATE INDEX owners_mailbox ON owners (dealer_id, lower(email));

-- migrate:down
