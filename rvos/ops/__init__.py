"""Pure functions on tensors: boxes, masks, assignment, sampling, positions."""
