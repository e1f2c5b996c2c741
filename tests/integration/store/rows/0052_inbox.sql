INSERT INTO thread_notes (dealer_id, thread_id, staff_id, body, mentions, at)
    VALUES (currval('dealers_id_seq'), currval('threads_id_seq'), currval('staff_id_seq'), 'She prefers mornings.', '{}', '2026-11-02 09:20Z');
INSERT INTO drafts (dealer_id, thread_id, staff_id, body, at)
    VALUES (currval('dealers_id_seq'), currval('threads_id_seq'), currval('staff_id_seq'), 'We are', '2026-11-02 09:21Z');
INSERT INTO quick_replies (dealer_id, title, language, body)
    VALUES (currval('dealers_id_seq'), 'Thanks {d}', 'en', 'Thank you, {owner}.');
