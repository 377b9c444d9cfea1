"""What a student of cs231n, cs6353 or a sister course imports from the folder beside the notebook.

``python -m thinnet.course init cs6353`` writes that folder; its modules import from here. The names, signatures,
printed lines and figures are the course's; the computing is thinnet's. ``python -m thinnet.course grade PATH`` checks
a student's own layers. The guide is docs/course.md.

Throughout, ``p`` (``dropout``, ``dropout_keep_ratio``) is the probability to KEEP a unit, and NumPy's global stream
(``np.random.seed``) is the only source of randomness.
"""
