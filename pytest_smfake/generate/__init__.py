"""Values that keep a rule, or break it, for cases, strategies and the Faker provider."""
