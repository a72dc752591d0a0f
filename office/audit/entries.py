"""The kind this room reads; the frame writes it, because the door and the pages are the portal's."""

from office.frame.trail import Did, Event, Noted

__all__ = ["Did", "Event", "Noted"]
