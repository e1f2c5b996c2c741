-- migrate:up
-- How long before a promise breaks a dealer's people hear of it, when its owner does, and when a customer who has not come is rung.

ALTER TABLE dealers
    ADD COLUMN late_warn_minutes integer NOT NULL DEFAULT 15,
    ADD COLUMN late_tell_minutes integer NOT NULL DEFAULT 5,
    ADD COLUMN no_show_minutes integer NOT NULL DEFAULT 30;

-- migrate:down
