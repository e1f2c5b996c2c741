INSERT INTO stops (dealer_id, address, stopped, source, at)
    VALUES (currval('dealers_id_seq'), '\x01', true, 'STOP by text', '2026-11-02 09:20Z');
