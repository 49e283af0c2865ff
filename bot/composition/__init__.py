"""Compose the bot: the one package that builds clients and knows every other. ``bootstrap`` puts all together.

Beside it stands a part for each piece of work: ``connecting`` reaches out, ``carrying_out`` carries out presses,
``watching_over`` follows the watched, ``raising_alerts`` posts what is wrong, ``learning`` keeps how long things take,
``doctoring`` looks whether all is well, ``upkeep`` is what a running bot does by itself.
"""
