"""ops keeps machines running: the yiwang command, provisioning, supervisor files, demo, evidence."""
