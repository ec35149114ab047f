alter table attempt
    add column stages jsonb default '[]' not null,
    add column exit_cause text,
    add column ended_by text;

-- Of attempts before this, no more is known than their outcome and error code.
update attempt set exit_cause = case
    when outcome in ('SUCCEEDED', 'CANCELED', 'LEASE_LOST') then outcome
    when outcome = 'USER_ERROR' then 'INPUT_FAULT'
    when error_code = 'APPLICATION.OUT_OF_MEMORY' then 'OUT_OF_MEMORY'
    when error_code = 'APPLICATION.TIMEOUT' then 'TIMEOUT'
    when error_code = 'APPLICATION.CRASHED' then 'CRASHED'
    when error_code like 'APPLICATION.%' then 'APPLICATION_ERROR'
    else 'WORKER_FAULT'
end
where ended_at is not null;

alter table attempt
    add constraint attempt_exit_cause check (exit_cause in ('SUCCEEDED', 'INPUT_FAULT', 'APPLICATION_ERROR', 'OUT_OF_MEMORY', 'TIMEOUT', 'CRASHED', 'TRANSFER_FAILED', 'LEASE_LOST', 'CANCELED', 'WORKER_STOPPED', 'WORKER_FAULT', 'SERVICE_FAULT')),
    add constraint attempt_ended check ((exit_cause is null) = (ended_at is null));

create index run_retention on run (terminated_at) where terminated_at is not null and results_deleted_at is null;

-- What lies there already was last used when it came: that the upgrade deletes nothing at once, it counts from now.
alter table bucket_object add column idle_since timestamptz default now() not null;
create index bucket_object_idle on bucket_object (idle_since) where key is not null;
