"""The ways by which a request reaches the fake. Only this layer reads and writes bytes."""
