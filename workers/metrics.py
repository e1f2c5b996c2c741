"""What the workers count. Names and labels are a promise: docs/reference/metrics.md is made from them.

Ages are business time. What stands in the database is the same for all workers: add nothing up, take the largest.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

JOBS = Gauge("telltale_workers_wakeups_due", "Pieces of work that wait for a worker", ("topic",))
JOBS_AGE = Gauge(
    "telltale_workers_wakeups_oldest_due_seconds", "For how long the oldest of them has been due", ("topic",)
)
WORK = Counter(
    "telltale_workers_work_total",
    "Pieces of work taken up: done, done for now and looked at again later, or put off because something failed",
    ("topic", "outcome"),
)
QUEUED = Gauge(
    "telltale_workers_messages_due",
    "Texts that should be on their way and wait for a worker, or for another try",
    ("channel",),
)
QUEUED_AGE = Gauge(
    "telltale_workers_messages_oldest_due_seconds", "For how long the oldest of them has been due", ("channel",)
)
CLAIMED = Gauge(
    "telltale_workers_messages_claimed", "Texts that a worker has in hand, or had when it died", ("channel",)
)
GIVEN_UP = ("no channel", "unknown", "blocked", "refused", "tried too often")  #: why a text is given up for good
SENT = Counter("telltale_workers_messages_sent_total", "Texts that a provider took", ("channel",))
FAILED = Counter("telltale_workers_messages_failed_total", "Texts given up for good", ("channel", "reason"))
CANCELLED = Counter(
    "telltale_workers_messages_cancelled_total",
    "Texts that did not go, because they were no longer true or not allowed",
    ("channel", "reason"),
)
RETRIES = Counter(
    "telltale_workers_messages_retries_total",
    "Tries that a provider did not take; the text is tried again",
    ("channel", "reason"),
)
TAKEN_OVER = Counter(
    "telltale_workers_messages_taken_over_total",
    "Claims of workers that died, taken over by another",
    ("channel", "answer"),
)
PROVIDER_SECONDS = Histogram(
    "telltale_workers_provider_seconds",
    "How long a provider took to take a text, or to refuse it",
    ("channel",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TURNS = Counter("telltale_workers_loop_turns_total", "Turns of each loop", ("loop", "outcome"))
LAST_TURN = Gauge(
    "telltale_workers_loop_last_turn_timestamp_seconds",
    "When each loop last turned, whatever came of it (machine time)",
    ("loop",),
)
SWEPT = Counter("telltale_workers_swept_total", "What time alone made due and a sweep moved", ("sweep",))
DATABASE_UP = Gauge("telltale_database_up", "1 while the database answers")
CONNECTIONS = Gauge(
    "telltale_database_connections",
    "Connections to this database that we can see, by the part of Telltale that holds them",
    ("application",),
)
CONNECTIONS_MAX = Gauge("telltale_database_connections_limit", "Connections that the server takes in all")
OLDEST_TRANSACTION = Gauge(
    "telltale_database_oldest_transaction_seconds", "Age of the oldest open transaction that we can see"
)
LAG = Gauge(
    "telltale_database_replication_lag_seconds",
    "How far each replica is behind; only with a right to see it (pg_monitor)",
    ("replica",),
)
SIZE = Gauge("telltale_database_size_bytes", "What the database takes on disk")
PARTITIONS = Gauge(
    "telltale_database_readings_partitions",
    "Partitions of the readings: one for each day that is kept, and few besides",
)
CASES = Gauge("telltale_cases_open", "Open cases, by state and severity", ("state", "severity"))
