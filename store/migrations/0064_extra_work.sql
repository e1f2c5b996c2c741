-- migrate:up
-- Extra work is asked of its owner, with what of it is labour and how urgent it is; a line that is not needed after all is
-- withdrawn (older code shows it as unanswered, and nobody can answer it).

ALTER TABLE estimate_lines
    ADD COLUMN labour_minor bigint NOT NULL DEFAULT 0,   -- of amount_minor; the rest is parts
    ADD COLUMN urgency text NOT NULL DEFAULT 'advice',   -- as an alert's severity
    ADD COLUMN asked_at timestamptz,
    ADD COLUMN withdrawn_at timestamptz;                 -- by whom says history

-- migrate:down
