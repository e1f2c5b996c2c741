INSERT INTO saved_views (dealer_id, staff_id, shared, list, name, query, made_at)
    VALUES (currval('dealers_id_seq'), currval('staff_id_seq'), true, 'queue', 'Urgent {d}', 'severity=now', '2026-11-02 09:20Z');
