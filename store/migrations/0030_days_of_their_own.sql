-- migrate:up
-- A dealer keeps the public holidays of a region (ISO 3166-2, as DE-HH; empty: those of the whole country) and has days of their own,
-- closed or with other hours: one a line, as rules/service/opening.py reads them.

ALTER TABLE dealers
    ADD COLUMN region text NOT NULL DEFAULT '',
    ADD COLUMN special_days text NOT NULL DEFAULT '';

-- migrate:down
