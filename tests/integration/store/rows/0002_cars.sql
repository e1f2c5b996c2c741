INSERT INTO owners (dealer_id, name, phone, channel, language, zone, address, created_at)
    VALUES (currval('dealers_id_seq'), 'Emma Clarke', '+49170000000{d}', 'phone', 'en', 'Europe/Berlin', 'Weg {d}, Berlin', '2026-11-02 08:00Z');
INSERT INTO vehicles (vin, dealer_id, dealer_since, owner_id, profile, title, plate, secret_hash, enrolled_at, last_heard_at)
    VALUES ('WVWZZZ1KZAW00000{d}', currval('dealers_id_seq'), '2026-11-02 08:00Z', currval('owners_id_seq'), 'petrol_hatch', 'Golf', 'B-TT {d}', sha256('car {d}'),
            '2026-11-02 08:00Z', '2026-11-02 09:00Z');
INSERT INTO ownerships (dealer_id, vehicle_id, owner_id, since)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), currval('owners_id_seq'), '2026-11-02 08:00Z');
SELECT open_day(20759);
INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
    SELECT currval('dealers_id_seq'), currval('vehicles_id_seq'), 1, n, 20759, '2026-11-02 08:00Z'::timestamptz + n * interval '1 second',
           '2026-11-02 08:00Z', 0, n, '{1,2}', ARRAY[n, 12.6]::real[] FROM generate_series(1, 50) AS n;
INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, car_ts, mark, ids, vals, diagnostics)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 1, 51, 0, '2026-11-02 08:00Z', '2026-11-02 08:00Z', '1980-01-01 00:00Z', 2, '{1}', '{3}', '{"codes": []}');
INSERT INTO latest (vehicle_id, dealer_id, ts, values)
    VALUES (currval('vehicles_id_seq'), currval('dealers_id_seq'), '2026-11-02 09:00Z', '{"Vehicle.Speed": [50, 1793610000]}');
INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 'WVWZZZ1KZAW00000{d}', 'vehicles/01/x/up/telemetry', 'no json', 'not_json', 'line 1', '2026-11-02 09:00Z');
INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at, decided, decided_by, decided_at)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 'WVWZZZ1KZAW00000{d}', 't', '{}', 'not_json', 'x', '2026-11-02 09:00Z', 'accepted', 'staff:1', '2026-11-02 09:30Z');
INSERT INTO checkpoints (vehicle_id, dealer_id, place, boot, upto, ts, day, frontier, versions, memory)
    VALUES (currval('vehicles_id_seq'), currval('dealers_id_seq'), 50, 1, 50, '2026-11-02 09:00Z', 20759, '{}', '{"tyre_leak": 1}', 'memory');
INSERT INTO gaps (dealer_id, vehicle_id, boot, first_seq, last_seq, opened_at)
    VALUES (currval('dealers_id_seq'), currval('vehicles_id_seq'), 1, 52, 60, '2026-11-02 09:00Z');
UPDATE leases SET holder = 'one:1', share = '0/1', taken_at = '2026-11-02 08:00Z' WHERE bucket = 3;
INSERT INTO tallies (dealer_id, name, subject, times, last_at) VALUES (currval('dealers_id_seq'), 'denied_publish', 'WVWZZZ1KZAW00000{d}', 3, '2026-11-02 09:00Z');
