"""What each step computes on a tiny world, recorded for each VERSION of the step.

``values`` makes numbers comparable across processors, ``world`` makes the inputs, ``cases`` names what is run,
``record`` writes ``recorded/STEP.json``. ``test_versions.py`` compares.
"""
