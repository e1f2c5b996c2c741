INSERT INTO unit_corrections (dealer_id, vehicle_id, signals, unit, because, accepted_by, accepted_at, read_since)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), '{70,71,72,73}', 'psi', 'near its placard', 'staff:1', '2026-11-02 09:15Z', '2026-11-02 09:16Z');
