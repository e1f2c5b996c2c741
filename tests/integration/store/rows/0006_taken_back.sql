INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at, decided, decided_by, decided_at)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 'WVWZZZ1KZAW00000{d}', 't', '{}', 'not_json', 'x', '2026-11-02 09:00Z', 'taken_back', 'staff:1', '2026-11-02 09:30Z');
