INSERT INTO first_steps (dealer_id, step, aside, actor, at)
    VALUES (currval('dealers_id_seq'), 'driver', true, 'staff:1', '2026-11-02 09:20Z');
