"""The times that the faults are measured by; what is not here is the product's own default."""

TASK_TIME_LIMIT_S = 12
"""T of the specification: shorter than the product's, so that slow models do not take all evening."""
TASK_SOFT_TIME_LIMIT_S = 10
LEASE_S = 10
SWEEP_EVERY_S = 5
RESEND_AFTER_S = 15
SEND_GRACE_S = 2
VISIBILITY_S = 2 * TASK_TIME_LIMIT_S + 1
ATTEMPTS_MAX = 3
RECOVERY_S = 60
"""R of the specification."""
RATE_PER_S = 20
SUBMIT_WITHIN_S = 2.0
PROCESSES = 4
FAILPOINT_FILE = "failpoint"
"""In the stack's folder: where the next worker crashes."""
