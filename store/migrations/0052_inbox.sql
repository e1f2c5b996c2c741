-- migrate:up
-- The house's inbox: whose a conversation is, until when it may rest, what colleagues note beside it, half-written
-- answers, and answers that are ready.

ALTER TABLE threads ADD COLUMN assignee_id bigint, ADD COLUMN snoozed_until timestamptz;

CREATE TABLE thread_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    thread_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    body text NOT NULL,
    mentions bigint[] NOT NULL,   -- colleagues who were told
    at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, thread_id) REFERENCES threads (dealer_id, id)
);
CREATE INDEX thread_notes_thread ON thread_notes (dealer_id, thread_id, id);
SELECT protect('thread_notes');
GRANT SELECT, UPDATE ON thread_notes TO telltale_worker;
GRANT SELECT, INSERT, UPDATE ON thread_notes TO telltale_desk;

CREATE TABLE drafts (
    dealer_id bigint NOT NULL,
    thread_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (dealer_id, thread_id, staff_id),
    FOREIGN KEY (dealer_id, thread_id) REFERENCES threads (dealer_id, id)
);
SELECT protect('drafts');
GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO telltale_desk;
GRANT SELECT, UPDATE ON drafts TO telltale_worker;

CREATE TABLE quick_replies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL REFERENCES dealers (id),
    title text NOT NULL,
    language text NOT NULL,
    body text NOT NULL,           -- with fields, as in {owner}
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, title, language)
);
SELECT protect('quick_replies');
GRANT SELECT, INSERT, UPDATE, DELETE ON quick_replies TO telltale_desk;
GRANT SELECT ON quick_replies TO telltale_worker;

-- migrate:down
