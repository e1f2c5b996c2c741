INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, assignee_id, opened_at, changed_at)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), currval('owners_id_seq'), 'booked', 'soon', 'Tyre leak', 'alert', currval('staff_id_seq'),
            '2026-11-02 09:00Z', '2026-11-02 09:00Z');
INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because, first_at, changed_at, received_at, case_id)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 'tyre_leak', 1, 'front_left', 1, 0, 'active', 'soon', '1.9 bar', '2026-11-02 09:00Z',
            '2026-11-02 09:00Z', '2026-11-02 09:00Z', currval('cases_id_seq'));
INSERT INTO alert_steps (dealer_id, vehicle_id, rule, component, episode, step, state, severity, because, ts, place, rule_version)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 'tyre_leak', 'front_left', 1, 0, 'active', 'soon', '1.9 bar', '2026-11-02 09:00Z', 50, 1);
INSERT INTO rule_stages (rule, stage, reason, actor, at) VALUES ('tyre_leak', 'live', 'proved', 'staff:1', '2026-11-02 09:00Z') ON CONFLICT DO NOTHING;
