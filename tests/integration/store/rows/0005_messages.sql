INSERT INTO threads (dealer_id, owner_id, last_out_at) VALUES (currval('dealers_id_seq'), currval('owners_id_seq'), '2026-11-02 09:00Z');
INSERT INTO messages (dealer_id, thread_id, owner_id, case_id, kind, purpose, channel, to_address, language, body, state, reference, author, queued_at, due_at)
    VALUES (currval('dealers_id_seq'), currval('threads_id_seq'), currval('owners_id_seq'), currval('cases_id_seq'), 'offer', 'service', 'phone', '+49170000000{d}', 'en',
            'Autohaus {d}: when?', 'queued', 'offer-{d}', 'worker', '2026-11-02 09:00Z', '2026-11-02 09:00Z');
INSERT INTO replies (dealer_id, thread_id, owner_id, channel, provider_id, from_address, to_address, body, understood, received_at)
    VALUES (currval('dealers_id_seq'), currval('threads_id_seq'), currval('owners_id_seq'), 'phone', 'p{d}', '+49170000000{d}', '+49401111{d}', '1', 'choice', '2026-11-02 09:05Z');
INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording)
    VALUES (currval('dealers_id_seq'), currval('owners_id_seq'), 'service', true, '2026-11-02 08:00Z', 'order form', 'I agree');
INSERT INTO feedback (case_id, dealer_id, owner_id, asked_at) VALUES (currval('cases_id_seq'), currval('dealers_id_seq'), currval('owners_id_seq'), '2026-11-04 09:00Z');
INSERT INTO phone_texts (reference, from_address, to_address, body, at)
    VALUES ('offer-{d}', '+49401111{d}', '+49170000000{d}', 'Autohaus {d}: when? http://x.example/o/secret', '2026-11-02 09:00Z');
