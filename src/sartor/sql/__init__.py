"""What a statement says, told from its text: no connection, no engine."""
