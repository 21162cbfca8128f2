"""What holds of trees, proofs, notes, checkpoints and tiles."""
