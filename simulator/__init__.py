"""The stand-in car: ECUs on a CAN bus and a telematics unit that speaks MQTT."""
