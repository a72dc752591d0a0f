"""What earlier releases left behind, and that this one goes on with it."""
