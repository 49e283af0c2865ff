"""Speak Slack: receive deliveries, decode interactions, reply, and keep the cards true.

::

    transport     receive deliveries by HTTP or Socket Mode, verify and bound them, and run the jobs that they begin
    listeners     ack, decode and start a job: one listener for each kind of interaction
    grammar       read what people type
    cards         keep each card in the channel true, by edits in order
    blocks        draw what the bot says: one screen, one file
    messaging     send messages, views and files, checked before they leave
    people        ask who somebody is and in which groups, remembered, within an allowance
    interaction   what somebody did, decoded, and the press that is made of it
    kit           the parts of Block Kit, bounded        ids         the ids of buttons and forms, and what they carry
    directory     names of channels, groups and people   health      what the doctor looks at
"""
