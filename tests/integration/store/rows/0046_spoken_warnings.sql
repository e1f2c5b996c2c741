INSERT INTO spoken_warnings (dealer_id, case_id, owner_id, alert_ids, at)
    VALUES (currval('dealers_id_seq'), currval('cases_id_seq'), currval('owners_id_seq'), '{1}', '2026-11-02 09:15Z');
