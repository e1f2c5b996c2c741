INSERT INTO handovers (dealer_id, booking_id, leg_id, kind, key, odometer_km, energy, energy_percent, keys, marks,
    photos, proof, made_at, recorded_at, actor, name, note, signature, salt, person, hash)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), currval('legs_id_seq'), 'collect', 'record-{d}', 41230,
    'fuel', 60, 1, '[{"x": 0.2, "y": 0.9, "harm": "dent", "note": "old"}]', '{0000}', 'signature', '2026-11-03 09:05Z',
    '2026-11-03 09:06Z', 'staff:1', 'Owner {d}', 'by the gate', '[[0, 0, 9, 9]]', 'salt', 'person', 'hash');
INSERT INTO handover_photos (dealer_id, booking_id, kind, handover_id, key, view, place, sha256, size, width, height,
    stored_at)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), 'collect', currval('handovers_id_seq'), 'photo-{d}',
    'front', '{d}/1/00000000000000000000000000000000.jpg', '0000', 9, 4, 3, '2026-11-03 09:05Z');
