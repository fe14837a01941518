"""Values made to keep a rule, or to break it: read by the cases, the strategies and the Faker provider alike."""
