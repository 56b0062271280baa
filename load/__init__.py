"""`make load`: arrivals at a fixed rate, each followed to its result, and a table of what became of them.

Stages: arrivals.py says when → journey.py submits and follows one → tally.py counts → report.py prints.
locust_user.py does it under Locust, whose patching of the standard library stays in this process alone.
"""
