INSERT INTO audit_seals (dealer_id, position, history_id, hash, sealed_at)
    SELECT dealer_id, 1, max(id), decode(md5('seal-{d}'), 'hex'), '2026-11-02 08:00Z' FROM history
    WHERE dealer_id = currval('dealers_id_seq') GROUP BY dealer_id;
INSERT INTO audit_heads (dealer_id, position, hash, proof) SELECT dealer_id, position, hash, hash FROM audit_seals WHERE dealer_id = currval('dealers_id_seq');
INSERT INTO audit_removals (history_id, dealer_id, words, erasure_id)
    SELECT history_id, dealer_id, hash, history_id FROM audit_seals WHERE dealer_id = currval('dealers_id_seq');
