INSERT INTO wrong_numbers (dealer_id, address, whose, at)
    VALUES (currval('dealers_id_seq'), '\x01', '\x02', '2026-11-02 09:20Z');
