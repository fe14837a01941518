"""The audit: every SageMaker request that a suite sends, checked against the catalogue, whoever answers it."""
