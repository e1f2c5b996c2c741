-- migrate:up
-- One of our people rang the owner of a car that must not be driven on, and told them: as good as a text that came.

CREATE TABLE spoken_warnings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id bigint NOT NULL,
    case_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    alert_ids bigint[] NOT NULL,  -- what stood and was told; none where a person opened the case
    staff_id bigint,              -- who rang; NULL: a program said so
    at timestamptz NOT NULL,
    UNIQUE (dealer_id, id),
    FOREIGN KEY (dealer_id, case_id) REFERENCES cases (dealer_id, id),
    FOREIGN KEY (dealer_id, owner_id) REFERENCES owners (dealer_id, id)
);
CREATE INDEX spoken_warnings_case ON spoken_warnings (dealer_id, case_id, owner_id);
SELECT protect('spoken_warnings');
GRANT SELECT ON spoken_warnings TO telltale_worker;
GRANT SELECT, INSERT ON spoken_warnings TO telltale_desk;

-- migrate:down
