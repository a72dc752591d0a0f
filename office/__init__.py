"""An office is the subsystems that read and write the journals: one folder a room, plus frame and portal."""
