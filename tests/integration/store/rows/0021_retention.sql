INSERT INTO detached_days (day, detached_at) VALUES (20000 + {d}, '2026-11-02 08:00Z');
INSERT INTO retention_word (today, at_once, said_at) VALUES ('2026-11-02', 3, '2026-11-02 08:00Z') ON CONFLICT DO NOTHING;
