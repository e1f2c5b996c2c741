"""A car in 30 lines of plain paho: publishes until everything is acknowledged for good.

Arguments: HOST PORT VIN SECRET BUCKET [CA.CRT].
"""

import json
import sys
import time
from datetime import UTC, datetime

import paho.mqtt.client as mqtt

host, port, vin, secret, bucket, *authority = sys.argv[1:]
topic = f"vehicles/{bucket}/{vin}"
spool = {}  # seq -> body; a real unit keeps this on its disk, and `boot` in a counter beside it
boot = int(time.time())


def on_connect(client, *_):
    client.subscribe(f"{topic}/down/+", qos=0)
    for body in spool.values():  # again, in order: what is stored already is not stored twice
        client.publish(f"{topic}/up/telemetry", body, qos=1)


def on_message(client, _, message):
    told = json.loads(message.payload)
    if message.topic.endswith("/acks") and told["boot"] == boot:  # only this ack means: stored for good
        for seq in [seq for seq in spool if seq <= told["upto"]]:
            del spool[seq]
    elif message.topic.endswith("/asks") and told["boot"] == boot:
        for seq in range(told["from"], told["to"] + 1):
            if seq in spool:
                client.publish(f"{topic}/up/telemetry", spool[seq], qos=1)


car = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=vin)
car.username_pw_set(vin, secret)
if authority:
    car.tls_set(authority[0])
car.on_connect, car.on_message = on_connect, on_message
for seq in range(1, 11):
    ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sample = {
        "boot": boot,
        "seq": seq,
        "oldest": 1,
        "ts": ts,
        "signals": {"Vehicle.Speed": 50.0 + seq, "Vehicle.LowVoltageBattery.CurrentVoltage": 13.9},
    }
    spool[seq] = json.dumps(sample)
car.connect(host, int(port))
car.loop_start()
while spool:
    time.sleep(0.1)
print("all 10 messages are stored for good")  # noqa: T201
