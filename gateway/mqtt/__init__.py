"""One persistent MQTT session per bucket: connect, read in bulk, notice what is dead."""
