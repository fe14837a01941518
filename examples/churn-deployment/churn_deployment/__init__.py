"""Deploys churn models to Amazon SageMaker."""
