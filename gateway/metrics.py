"""What the gateway counts. Names and labels are a promise: docs/reference/metrics.md is made from them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("telltale_gateway_messages_total", "Messages committed and acknowledged")
DUPLICATES = Counter("telltale_gateway_duplicates_total", "Messages that had come before")
LATE = Counter(
    "telltale_gateway_late_total", "Readings that came after what had been judged already: history, never 'now'"
)
REFUSED = Counter("telltale_gateway_refused_total", "Messages, or parts of them, that were not believed", ("reason",))
RULE_FAULTS = Counter(
    "telltale_gateway_rule_faults_total", "Readings that a rule broke on; the other rules went on", ("rule",)
)
ALERT_STEPS = Counter("telltale_gateway_alert_steps_total", "Moves of alerts, committed", ("rule", "state", "stage"))
BATCH_SECONDS = Histogram(
    "telltale_gateway_batch_seconds",
    "From taking a batch of messages to its acknowledgement",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
BACKLOG = Gauge("telltale_gateway_backlog_messages", "Messages taken from the broker and not yet committed")
OLDEST = Gauge("telltale_gateway_oldest_pending_seconds", "Age of the oldest message taken and not yet committed")
CATCHING_UP = Gauge("telltale_gateway_catching_up", "1 while what waited for us at the broker is being worked off")
OWED = Gauge(
    "telltale_gateway_owed_messages",
    "Messages that the broker still has for us, while it is worked off; only the embedded broker says",
)
COMMIT_AGE = Gauge(
    "telltale_gateway_commit_age_seconds", "Since anything was committed; a gateway that is well commits every second"
)
CARS = Gauge("telltale_gateway_cars", "Cars that the gateway knows, of all buckets")
GAPPY = Gauge("telltale_gateway_gappy_cars", "Cars of which something is missing, or waits for what is missing")
BUCKETS = Gauge("telltale_gateway_buckets", "Buckets of the fleet that this gateway carries (of 16)")
SESSIONS = Gauge("telltale_gateway_sessions", "Sessions at the broker, one for each bucket", ("state",))
RECONNECTS = Counter(
    "telltale_gateway_reconnects_total", "Sessions that lost their connection to the broker and made a new one"
)
SESSIONS_LOST = Counter(
    "telltale_gateway_sessions_lost_total",
    "Sessions that the broker had forgotten: what it owed us comes from the cars' own memory",
)
SIGN_INS = Counter(
    "telltale_gateway_sign_ins_total",
    "Cars' sign-ins at the embedded broker, as the gateway answered them",
    ("answer",),
)
DENIED = Counter(
    "telltale_gateway_denied_total", "What signed-in cars tried at the embedded broker and may not", ("kind",)
)
DATABASE_UP = Gauge("telltale_gateway_database_up", "1 while the database takes what we write")
DATABASE_SECONDS = Counter(
    "telltale_gateway_database_seconds_total", "Time spent waiting for the database to commit batches"
)
