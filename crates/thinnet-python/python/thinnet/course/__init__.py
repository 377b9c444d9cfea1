"""The modules that students of cs231n, cs6353 or a related course import from the folder next to the notebook.

``python -m thinnet.course init cs6353`` writes that folder; its modules import from here. The names, signatures,
printed lines and figures are the course's; thinnet does the computing. ``python -m thinnet.course grade PATH`` checks a
student's own layers. The guide is docs/course.md.

Everywhere, ``p`` (``dropout``, ``dropout_keep_ratio``) is the probability to KEEP a unit, and NumPy's global stream
(``np.random.seed``) is the only source of randomness.
"""
