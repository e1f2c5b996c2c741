INSERT INTO promises (dealer_id, booking_id, leg_id, what, due_at, state, made_at)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), currval('legs_id_seq'), 'collect', '2026-11-03 09:00Z', 'open', '2026-11-02 09:10Z');
