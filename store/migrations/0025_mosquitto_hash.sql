-- migrate:up
-- A broker of one's own that checks passwords by itself knows other hashes than ours, and a hash can be made only while the
-- secret is known: at enrolment. Cars enrolled before have none, and are let in by such a broker once they are enrolled again.

ALTER TABLE vehicles ADD COLUMN mosquitto_hash text;

-- migrate:down
