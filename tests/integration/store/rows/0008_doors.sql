INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at)
    VALUES (currval('dealers_id_seq'), 'second-{d}', '+49401111{d}', '+49170000000{d}', 'Autohaus {d}: thank you', '2026-11-02 09:10Z');
