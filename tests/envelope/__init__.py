"""What holds of records, seals, statements, opening and sequences."""
