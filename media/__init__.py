"""media carries voices: the relay of a node, its own asyncio process."""
