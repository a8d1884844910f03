"""The networks: GroundingDINO as the grounder, ReferDINO on top of it."""
