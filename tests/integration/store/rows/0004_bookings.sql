INSERT INTO resources (dealer_id, kind, name) VALUES (currval('dealers_id_seq'), 'bay', 'Bay 1');
INSERT INTO offers (dealer_id, case_id, kind, state, made_by, made_at, expires_at)
    VALUES (currval('dealers_id_seq'), currval('cases_id_seq'), 'pickup', 'accepted', 'staff:1', '2026-11-02 09:00Z', '2026-11-02 13:00Z');
INSERT INTO bookings (dealer_id, case_id, vehicle_id, kind, state, starts_at, ends_at, wall_start, zone, made_at)
    VALUES (currval('dealers_id_seq'), currval('cases_id_seq'), currval('vehicles_id_seq'), 'pickup', 'agreed', '2026-11-03 09:00Z', '2026-11-03 11:00Z',
            '2026-11-03 10:00', 'Europe/Berlin', '2026-11-02 09:10Z');
INSERT INTO slots (dealer_id, resource_id, during, state, offer_id, choice, booking_id)
    VALUES (currval('dealers_id_seq'), currval('resources_id_seq'), '[2026-11-03 09:00Z,2026-11-03 11:00Z)', 'booked', currval('offers_id_seq'), 1, currval('bookings_id_seq'));
INSERT INTO legs (dealer_id, booking_id, kind, state, driver_id, slot_id, address, starts_at, ends_at, changed_at)
    VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), 'collect', 'planned', currval('staff_id_seq') - 1, currval('slots_id_seq'), 'Weg {d}, Berlin',
            '2026-11-03 08:00Z', '2026-11-03 09:00Z', '2026-11-02 09:10Z');
INSERT INTO estimate_lines (dealer_id, booking_id, title, amount_minor) VALUES (currval('dealers_id_seq'), currval('bookings_id_seq'), 'Tyre', 12900);
