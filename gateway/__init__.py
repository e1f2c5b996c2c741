"""The ear: MQTT in, judged readings out."""
