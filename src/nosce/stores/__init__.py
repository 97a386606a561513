"""What is kept: the journal of a run."""
