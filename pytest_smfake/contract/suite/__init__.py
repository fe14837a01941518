"""The checks of the contract: boundary cases, and behaviours, each of which is one sentence."""
