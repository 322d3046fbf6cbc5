"""The channels, in the order a customer sees them; a folder each. See docs/notices.md."""

from notifications.channels.bell.channel import BELL
from notifications.channels.channel import Channel, Line
from notifications.channels.mail.channel import MAIL

__all__ = ["CHANNELS", "Channel", "Line"]

CHANNELS: tuple[Channel, ...] = (MAIL, BELL)
