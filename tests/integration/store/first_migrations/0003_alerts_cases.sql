-- migrate:up
-- What the car says (alerts) and what people do about it (cases).

CREATE TABLE cases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    owner_id bigint,              -- of the ownership epoch in which it was opened
    state text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('advice', 'soon', 'now')),
    title text NOT NULL,
    note text NOT NULL DEFAULT '',  -- what the customer said on the phone
    origin text NOT NULL CHECK (origin IN ('alert', 'call')),
    assignee_id bigint,
    comebacks integer NOT NULL DEFAULT 0,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    escalated_at timestamptz,
    repaired_at timestamptz,
    proof jsonb,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, vehicle_id) REFERENCES vehicles (dealer_id, id),
    FOREIGN KEY (dealer_id, assignee_id) REFERENCES staff (dealer_id, id)
);
-- One piece of open work per car: a second fault joins the case that stands.
CREATE UNIQUE INDEX cases_one_open ON cases (dealer_id, vehicle_id) WHERE state NOT IN ('done', 'dismissed');
CREATE INDEX cases_queue ON cases (dealer_id, state, opened_at);
SELECT protect('cases');
GRANT SELECT, INSERT, UPDATE ON cases TO telltale_worker, telltale_desk;
GRANT SELECT, UPDATE ON cases TO telltale_owner_page;

CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    rule text NOT NULL,
    rule_version integer NOT NULL,
    component text NOT NULL,
    episode integer NOT NULL,
    step integer NOT NULL,        -- the newest step
    state text NOT NULL CHECK (state IN ('pending', 'active', 'resolved', 'lapsed', 'withdrawn')),
    severity text NOT NULL CHECK (severity IN ('advice', 'soon', 'now')),
    because text NOT NULL,
    first_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    case_id bigint,
    shadow boolean NOT NULL DEFAULT false,
    late boolean NOT NULL DEFAULT false,
    evidence jsonb NOT NULL DEFAULT '{}',
    UNIQUE (dealer_id, id),
    UNIQUE (dealer_id, vehicle_id, rule, component, episode),
    FOREIGN KEY (dealer_id, vehicle_id) REFERENCES vehicles (dealer_id, id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id)
);
CREATE UNIQUE INDEX alerts_one_open ON alerts (dealer_id, vehicle_id, rule, component) WHERE state IN ('pending', 'active');
CREATE INDEX alerts_case ON alerts (dealer_id, case_id);
SELECT protect('alerts');
GRANT SELECT, INSERT, UPDATE ON alerts TO telltale_gateway;
GRANT SELECT, UPDATE ON alerts TO telltale_worker;
GRANT INSERT ON alerts TO telltale_worker;      -- silence is judged by the workers
GRANT SELECT ON alerts TO telltale_desk, telltale_owner_page;

CREATE TABLE alert_steps (
    dealer_id bigint NOT NULL,
    vehicle_id bigint NOT NULL,
    rule text NOT NULL,
    component text NOT NULL,
    episode integer NOT NULL,
    step integer NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    because text NOT NULL,
    ts timestamptz NOT NULL,      -- of the reading that moved it
    place bigint NOT NULL,
    rule_version integer NOT NULL,
    late boolean NOT NULL DEFAULT false,
    evidence jsonb,
    PRIMARY KEY (vehicle_id, rule, component, episode, step)
);
SELECT protect('alert_steps');
GRANT SELECT, INSERT ON alert_steps TO telltale_gateway, telltale_worker;
GRANT SELECT ON alert_steps TO telltale_desk, telltale_owner_page;

-- Which stage each rule stands at: shadow speaks to nobody.
CREATE TABLE rule_stages (
    rule text PRIMARY KEY,
    stage text NOT NULL CHECK (stage IN ('shadow', 'live', 'off')),
    reason text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL
);
GRANT SELECT ON rule_stages TO telltale_gateway, telltale_worker, telltale_desk;
GRANT INSERT, UPDATE ON rule_stages TO telltale_worker;

-- migrate:down
