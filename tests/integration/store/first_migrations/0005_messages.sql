-- migrate:up
-- Conversations, the outbox, consent and feedback.

CREATE TABLE threads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    needs_reading boolean NOT NULL DEFAULT false,  -- an owner wrote something a person must read
    last_in_at timestamptz,
    last_out_at timestamptz,
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, owner_id),
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id)
);
SELECT protect('threads');
GRANT SELECT, INSERT, UPDATE ON threads TO telltale_worker, telltale_desk, telltale_owner_page;

CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    thread_id bigint,
    owner_id bigint,
    staff_id bigint,
    case_id bigint,
    kind text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('safety', 'service', 'status', 'survey', 'staff')),
    channel text NOT NULL,
    to_address text NOT NULL,
    language text NOT NULL,
    body text NOT NULL,
    facts jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('queued', 'claimed', 'sent', 'delivered', 'failed', 'cancelled')),
    reason text,
    reference text NOT NULL UNIQUE,
    provider_id text,
    attempts integer NOT NULL DEFAULT 0,
    author text NOT NULL,         -- worker, staff:<id>, system
    queued_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    claimed_at timestamptz,       -- machine time
    retry_at timestamptz,         -- machine time: not before this
    sent_at timestamptz,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, thread_id) REFERENCES threads (dealer_id, id),
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id),
    CHECK ((owner_id IS NULL) <> (staff_id IS NULL))
);
CREATE INDEX messages_due ON messages (due_at, id) WHERE state = 'queued';
CREATE INDEX messages_claimed ON messages (claimed_at) WHERE state = 'claimed';
CREATE INDEX messages_thread ON messages (dealer_id, thread_id, id);
SELECT protect('messages');
GRANT SELECT, INSERT, UPDATE ON messages TO telltale_worker, telltale_desk;
GRANT SELECT, INSERT, UPDATE ON messages TO telltale_owner_page;

CREATE TABLE replies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    thread_id bigint,             -- NULL: from a number nobody knows
    owner_id bigint,
    channel text NOT NULL,
    provider_id text NOT NULL,
    from_address text NOT NULL,
    to_address text NOT NULL,
    body text NOT NULL,
    understood text NOT NULL,     -- choice | decline | stop | start | help | feedback | other
    received_at timestamptz NOT NULL,
    read_at timestamptz,
    read_by bigint,
    UNIQUE (dealer_id, channel, provider_id)
);
CREATE INDEX replies_thread ON replies (dealer_id, thread_id, id);
SELECT protect('replies');
GRANT SELECT, INSERT, UPDATE ON replies TO telltale_desk, telltale_worker, telltale_owner_page;

CREATE TABLE consents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('safety', 'service', 'status', 'survey')),
    given boolean NOT NULL,
    at timestamptz NOT NULL,
    source text NOT NULL,
    wording text NOT NULL,
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id)
);
CREATE INDEX consents_owner ON consents (dealer_id, owner_id, purpose, id DESC);
SELECT protect('consents');
GRANT SELECT, INSERT ON consents TO telltale_worker, telltale_desk, telltale_owner_page;

CREATE TABLE feedback (
    case_id bigint NOT NULL,
    dealer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    score smallint CHECK (score BETWEEN 1 AND 5),
    words text,
    PRIMARY KEY (dealer_id, case_id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id)
);
SELECT protect('feedback');
GRANT SELECT, INSERT, UPDATE ON feedback TO telltale_worker, telltale_desk, telltale_owner_page;

-- The demo phone is a provider of its own, outside any dealer: what it got, once per reference, and what its owner typed.
CREATE TABLE phone_texts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    from_address text NOT NULL,
    to_address text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX phone_texts_pair ON phone_texts (to_address, from_address, id);
GRANT SELECT, INSERT ON phone_texts TO telltale_worker, telltale_desk;

-- migrate:down
