-- migrate:up
-- The first days of a house: which step was put aside as not needed, and which text its manager sent to try the way out.

CREATE TABLE first_steps (
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    step text NOT NULL,           -- of rules/service/first_run.py
    aside boolean NOT NULL,
    message_id bigint,            -- of a text that was sent to try
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, step)
);
SELECT protect('first_steps');
GRANT SELECT, INSERT, UPDATE ON first_steps TO telltale_desk;

-- migrate:down
