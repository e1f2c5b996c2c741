INSERT INTO readings_imports (dealer_id, fingerprint, file, started_at) VALUES (currval('dealers_id_seq'), 'file {d}', 'fleet.csv', '2026-11-02 08:00Z');
