INSERT INTO feeds (dealer_id, kind, root, made_at)
    VALUES (currval('dealers_id_seq'), 'ovms', 'ovms/{d}', '2026-11-02 09:00Z');
INSERT INTO feed_cars (dealer_id, feed_id, identity, vehicle_id, units, mapped_at)
    VALUES (currval('dealers_id_seq'), currval('feeds_id_seq'), 'hansen/blueleaf', currval('vehicles_id_seq'), '{"pressure": "psi"}', '2026-11-02 09:01Z');
INSERT INTO feed_messages (dealer_id, feed_id, vehicle_id, bucket, vin, way, body, received_at)
    SELECT dealer_id, currval('feeds_id_seq'), id, 0, vin, 'telemetry', '{}', '2026-11-02 09:02Z' FROM vehicles WHERE id = currval('vehicles_id_seq');
