"""The specification: rules, editions, validation, messages. It knows nothing of the layers above."""
