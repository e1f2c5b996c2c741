"""History from files: the same judgement as for what comes by MQTT, through another ear."""
