-- What a house of that version writes, for dealer {d}: run in one session, after the files before it.
INSERT INTO clock (anchor, started, speed, seen) VALUES ('2026-11-02 08:00Z', '2026-11-02 08:00Z', 600, '2026-11-02 09:00Z') ON CONFLICT DO NOTHING;
INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at)
    VALUES ('Autohaus {d}', 'Europe/Berlin', 'DE', '+49401111{d}', 'Werkstr. {d}, Berlin', 'Mo-Fr 08:00-18:00', 'de', '2026-11-02 08:00Z');
INSERT INTO staff (dealer_id, name, email, phone, role, language, created_at)
    VALUES (currval('dealers_id_seq'), 'Dirk Brandt', 'dirk@{d}.example', '+49151000{d}', 'driver', 'de', '2026-11-02 08:00Z');
INSERT INTO staff (dealer_id, name, email, phone, role, language, created_at)
    VALUES (currval('dealers_id_seq'), 'Ruth Sommer', 'ruth@{d}.example', NULL, 'manager', 'de', '2026-11-02 08:00Z');
INSERT INTO sign_ins (email, dealer_id, staff_id, password_hash, changed_at)
    VALUES ('ruth@{d}.example', currval('dealers_id_seq'), currval('staff_id_seq'), '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', '2026-11-02 08:00Z');
INSERT INTO sign_ins (email, dealer_id, staff_id, changed_at)
    VALUES ('dirk@{d}.example', currval('dealers_id_seq'), currval('staff_id_seq') - 1, '2026-11-02 08:00Z');
INSERT INTO secrets (hash, dealer_id, purpose, staff_id, label, created_at, expires_at)
    VALUES (sha256('invitation {d}'), currval('dealers_id_seq'), 'invitation', currval('staff_id_seq') - 1, 'dirk@{d}.example', '2026-11-02 08:00Z', '2026-11-09 08:00Z');
INSERT INTO secrets (hash, dealer_id, purpose, label, created_at) VALUES (sha256('key {d}'), currval('dealers_id_seq'), 'api_key', 'DMS', '2026-11-02 08:00Z');
INSERT INTO secrets (hash, dealer_id, purpose, owner_id, subject_id, created_at, expires_at)
    VALUES (sha256('offer {d}'), currval('dealers_id_seq'), 'offer', 1, 1, '2026-11-02 08:00Z', '2026-11-03 08:00Z');
INSERT INTO sessions (id, dealer_id, staff_id, created_at, expires_at)
    VALUES (encode(sha256('cookie {d}'), 'hex'), currval('dealers_id_seq'), currval('staff_id_seq'), '2026-11-02 08:00Z', '2026-11-02 22:00Z');
INSERT INTO senders (address, dealer_id, channel) VALUES ('+49401111{d}', currval('dealers_id_seq'), 'phone');
INSERT INTO idempotency (dealer_id, caller, key, request_hash, status, body, at)
    VALUES (currval('dealers_id_seq'), 'api:DMS', 'one', sha256('x'), 201, '{"id": 1}', '2026-11-02 08:00Z');
INSERT INTO history (dealer_id, noun, subject_id, old, new, reason, actor, at)
    VALUES (currval('dealers_id_seq'), 'staff', currval('staff_id_seq'), NULL, 'invited', 'as manager', 'system', '2026-11-02 08:00Z');
INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) VALUES (currval('dealers_id_seq'), 'case', 1, '{"again": true}', '2026-11-02 09:00Z');
