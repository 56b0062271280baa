"""Celery's settings, each with its reason (ADR 0002): a message may be lost, the row is not."""

from typing import Any, Final

from inference_contract.names import QUEUE_PREDICTIONS, TASK_RUN_PREDICTION
from kombu.entity import Exchange, Queue

from inference_worker.settings import Settings
from inference_worker.task_names import QUEUE_SWEEPS, TASK_EXPIRE, TASK_SWEEP

SOCKET_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 2.0
HEALTH_CHECK_EVERY_S: Final = 10
RESTORE_EVERY_S: Final = 10
CHILD_START_MAX_S: Final = 60.0
REPLACED_AT: Final = 0.75
KIB_PER_MIB: Final = 1024


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return every option by its lower-case name, as Celery 5.7 has them."""
    return {
        **_connection(settings),
        **_delivery(),
        **_process(settings),
        "beat_schedule": {
            "sweep": _tick(TASK_SWEEP, settings.sweep_every_s),
            "expire": _tick(TASK_EXPIRE, settings.retention_every_s),
        },
        "beat_max_loop_interval": settings.sweep_every_s,
    }


def _tick(task: str, every_s: float) -> dict[str, Any]:
    # A tick that waited this long has been overtaken by the next one.
    options = {"queue": QUEUE_SWEEPS, "expires": every_s, "retry": False}
    return {"task": task, "schedule": every_s, "options": options}


def _connection(settings: Settings) -> dict[str, Any]:
    options = {
        "visibility_timeout": settings.visibility_timeout_s,
        # Without both, a call on a dead connection waits for ever.
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_CHECK_EVERY_S,
        # Look for unacknowledged messages of dead workers every 10 s instead of every 100 s.
        "unacked_restore_interval": RESTORE_EVERY_S,
        "unacked_restore_throttle": 1,
    }
    return {
        "broker_url": settings.broker_url,
        "broker_transport": "inference_worker.guarded_redis:Transport",
        "broker_transport_options": options,
        # The visibility timeout has to be the same in all three places or the shortest wins somewhere.
        "result_backend_transport_options": {"visibility_timeout": settings.visibility_timeout_s},
        "visibility_timeout": settings.visibility_timeout_s,
        "broker_connection_timeout": CONNECT_TIMEOUT_S,
        # Redis may be away for longer than any count of retries: a worker never gives up.
        "broker_connection_max_retries": None,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
    }


def _delivery() -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_queues": [_queue(QUEUE_PREDICTIONS), _queue(QUEUE_SWEEPS)],
        "task_routes": {
            TASK_RUN_PREDICTION: {"queue": QUEUE_PREDICTIONS},
            TASK_SWEEP: {"queue": QUEUE_SWEEPS},
            TASK_EXPIRE: {"queue": QUEUE_SWEEPS},
        },
        "task_create_missing_queues": False,
        "task_acks_late": True,
        # A lost child's message is done with: the row's lease brings the job back, counted and bounded.
        # Redelivery at once would find the row still leased; unbounded redelivery would spread poison.
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_reject_on_worker_lost": False,
        "task_retry_on_worker_lost": False,
        # Time limits are kept in the child (`time_limit`): Celery's fire late once a broker was lost.
    }


def _process(settings: Settings) -> dict[str, Any]:
    return {
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_soft_shutdown_timeout": settings.soft_shutdown_s,
        "worker_max_tasks_per_child": settings.tasks_per_child_max,
        # A child that has grown is replaced between two tasks, well before its limit fails a task for it.
        "worker_max_memory_per_child": int(REPLACED_AT * settings.worker_memory_limit_mb * KIB_PER_MIB),
        "worker_proc_alive_timeout": CHILD_START_MAX_S,
        # A batch that runs while Redis is away still stores its result: only its message is lost.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # For Flower. Workers can be asked, not steered: see `control_guard`.
        "worker_enable_remote_control": True,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def _queue(name: str) -> Queue:
    """Bind a queue to an exchange of its own, as clients do that know it by name only."""
    return Queue(name, Exchange(name, type="direct"), routing_key=name)
