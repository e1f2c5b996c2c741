INSERT INTO absences (dealer_id, staff_id, starts_at, ends_at, reason, made_by, made_at)
    VALUES (currval('dealers_id_seq'), currval('staff_id_seq'), '2026-11-03 07:00Z', '2026-11-03 17:00Z', 'training', 'staff:1', '2026-11-02 09:10Z');
