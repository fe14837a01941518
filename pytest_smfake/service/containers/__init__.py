"""What plays the container of a model: functions and apps of the test, kept off the network."""
