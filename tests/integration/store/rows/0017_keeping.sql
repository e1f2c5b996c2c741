INSERT INTO keeping_runs (dealer_id, ran_at, gone) VALUES (currval('dealers_id_seq'), '2026-11-02 08:00Z', '{"texts": 3}');
INSERT INTO kept_days (dealer_id, what, day, arrived) VALUES (currval('dealers_id_seq'), 'positions', 20000, 7);
INSERT INTO audit_starts (dealer_id, position, hash, proof) VALUES (currval('dealers_id_seq'), 0, sha256('start {d}'), sha256('proof {d}'));
