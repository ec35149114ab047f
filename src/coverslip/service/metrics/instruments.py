"""What is counted and timed in this process."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from coverslip import __version__

# From a fast read to the longest request that is held open.
_REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_START_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
# From a small slide's download to a day in the queue.
_WORK_BUCKETS_S = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)

# Applications name their stages as they like, and each name is a series of its own.
_MOST_STAGES = 200
_OTHER = "other"


@dataclass
class Metrics:
    """The instruments of one service process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self._stages_seen: set[tuple[str, str]] = set()
        self.requests = Histogram(
            "coverslip_http_request_seconds",
            "Time to answer requests",
            ["method", "route", "status"],
            buckets=_REQUEST_BUCKETS_S,
            registry=self.registry,
        )
        self.start = Histogram(
            "coverslip_start_seconds",
            "From when a worker's slot was free and an item ready, to its lease",
            buckets=_START_BUCKETS_S,
            registry=self.registry,
        )
        self.waits = Histogram(
            "coverslip_item_wait_seconds",
            "From when an item was ready to its lease",
            buckets=_WORK_BUCKETS_S,
            registry=self.registry,
        )
        self.attempts = Counter(
            "coverslip_attempts",
            "Attempts that have ended",
            ["application", "version", "outcome", "code"],
            registry=self.registry,
        )
        self._stages = Histogram(
            "coverslip_stage_seconds",
            "Time that attempts spent in a stage",
            ["application", "stage"],
            buckets=_WORK_BUCKETS_S,
            registry=self.registry,
        )
        self.items = Gauge("coverslip_queue_items", "Items of unfinished runs", ["state"], registry=self.registry)
        self.runs = Gauge("coverslip_queue_runs", "Unfinished runs", ["state"], registry=self.registry)
        self.organizations = Gauge(
            "coverslip_queue_organizations", "Organizations with waiting items", registry=self.registry
        )
        self.oldest_item = Gauge(
            "coverslip_queue_oldest_item_seconds", "How long the oldest waiting item is ready", registry=self.registry
        )
        self.leases = Gauge("coverslip_leases", "Items that are leased to workers", registry=self.registry)
        self.oldest_lease = Gauge(
            "coverslip_lease_oldest_seconds", "Age of the oldest attempt that goes on", registry=self.registry
        )
        self.silent_lease = Gauge(
            "coverslip_lease_silent_seconds",
            "Time since the last heartbeat of the worker that is silent longest",
            registry=self.registry,
        )
        build = Gauge("coverslip_build_info", "The version that runs", ["version"], registry=self.registry)
        build.labels(__version__).set(1)

    def stage_ended(self, application_id: str, stage: str, duration_s: float) -> None:
        """Count a stage of an attempt; of more than 200 different ones, the later are counted together."""
        series = (application_id, stage)
        if series not in self._stages_seen:
            if len(self._stages_seen) >= _MOST_STAGES:
                series = (application_id, _OTHER)
            self._stages_seen.add(series)
        self._stages.labels(*series).observe(duration_s)
