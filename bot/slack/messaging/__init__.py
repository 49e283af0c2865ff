"""Send what the bot says: messages and views, checked before they leave."""
