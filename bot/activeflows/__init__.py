"""The middle: what an operator does, in VoIPBIN's words. Standard library only.

Its rooms, from the bottom up: ``situation`` (what one is doing), ``judging`` (what is wrong with it), ``reading`` (list, show,
review), ``searching`` (find), ``stopping`` (the life of one stop), ``watching`` (cards that follow one), ``bulk`` (many stops) and
``alerting`` (what is said by itself). The files beside them are what all rooms speak with: ``model``, ``errors``, ``operators``
(who may), ``names`` (how two are compared), ``records`` (the audit's), ``ports`` (what is needed from outside).
"""
