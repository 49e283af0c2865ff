"""Ask Slack who somebody is and in which groups, remembered, within an allowance."""
