INSERT INTO devices (dealer_id, staff_id, hash, place, last_at)
    SELECT dealer_id, id, decode(md5('browser-{d}'), 'hex'), decode(md5('place'), 'hex'), '2026-11-02 09:00Z' FROM staff WHERE dealer_id = currval('dealers_id_seq') LIMIT 1;
INSERT INTO attempts (key, until) VALUES (decode(md5('attempts-{d}'), 'hex'), '2026-11-02 09:15Z');
