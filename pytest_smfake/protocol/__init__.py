"""HTTP messages, the two protocols of SageMaker, signatures, and the list of active fakes. No I/O."""
