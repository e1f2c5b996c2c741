INSERT INTO authenticators (dealer_id, staff_id, secret, created_at, confirmed_at)
    SELECT dealer_id, id, 'sealed', '2026-11-02 09:00Z', '2026-11-02 09:01Z' FROM staff WHERE dealer_id = currval('dealers_id_seq') LIMIT 1;
INSERT INTO recovery_codes (dealer_id, staff_id, hash)
    SELECT dealer_id, id, decode(md5('code-{d}'), 'hex') FROM staff WHERE dealer_id = currval('dealers_id_seq') LIMIT 1;
INSERT INTO passkeys (id, dealer_id, staff_id, public_key, sign_count, label, created_at)
    SELECT decode(md5('passkey-{d}'), 'hex'), dealer_id, id, 'key', 0, 'Phone', '2026-11-02 09:00Z' FROM staff WHERE dealer_id = currval('dealers_id_seq') LIMIT 1;
