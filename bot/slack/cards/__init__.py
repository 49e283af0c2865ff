"""Keep each card in Slack true: edit it in place, in order."""
