INSERT INTO pauses (dealer_id, booking_id, state, awaits, what, due_at, made_at, made_by)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), 'open', 'part', 'Thermostat', '2026-11-03 07:00Z', '2026-11-02 09:20Z', 'staff:1');
