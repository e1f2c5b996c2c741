INSERT INTO witnesses (dealer_id, booking_id, leg_id, since, until, messages, codes_before, codes_after, odd, written_at)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), currval('legs_id_seq'), '2026-11-03 09:05Z',
    '2026-11-03 09:35Z', 12, '{}', '{P0301}', '{new since the keys changed hands: P0301}', '2026-11-03 09:45Z');
