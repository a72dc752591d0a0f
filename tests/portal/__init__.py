"""The portal, driven from outside over HTTPS."""
