create table webhook (
    id uuid not null,
    organization_id text not null,
    scope text not null,
    created_by text not null,
    url text not null,
    event_kinds text[],
    description text not null,
    disabled_reason text,
    failing_since timestamptz,
    secret_encrypted bytea not null,
    previous_secret_encrypted bytea,
    previous_secret_until timestamptz,
    created_at timestamptz default now() not null,
    primary key (id),
    constraint webhook_scope check (scope in ('OWN_RUNS', 'ORGANIZATION')),
    constraint webhook_disabled_reason check (disabled_reason in ('BY_USER', 'GONE', 'FAILING')),
    foreign key (organization_id) references organization (id),
    foreign key (created_by) references user_account (id)
);
create index webhook_organization on webhook (organization_id);

create table webhook_delivery (
    id uuid not null,
    webhook_id uuid not null,
    organization_id text not null,
    run_id uuid not null,
    event_number bigint not null,
    state text not null,
    attempts integer default 0 not null,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    next_attempt_at timestamptz,
    claimed_until timestamptz,
    status_code integer,
    duration_ms integer,
    error text,
    created_at timestamptz default now() not null,
    primary key (id),
    unique (webhook_id, run_id, event_number),
    constraint webhook_delivery_state check (state in ('PENDING', 'DELIVERED', 'FAILED')),
    constraint webhook_delivery_ended check (state = 'PENDING' or next_attempt_at is null),
    foreign key (webhook_id) references webhook (id) on delete cascade,
    foreign key (run_id, event_number) references event (run_id, number)
);
create index webhook_delivery_log on webhook_delivery (webhook_id, created_at desc, event_number desc);
create index webhook_delivery_due on webhook_delivery (next_attempt_at) where next_attempt_at is not null;
create index webhook_delivery_tried on webhook_delivery (run_id, webhook_id) where next_attempt_at is not null;
create index webhook_delivery_waiting on webhook_delivery (run_id, webhook_id, event_number)
    where state = 'PENDING' and next_attempt_at is null;
create index webhook_delivery_age on webhook_delivery (created_at);

alter table webhook enable row level security;
alter table webhook_delivery enable row level security;
create policy organization on webhook using (in_reach(organization_id));
create policy organization on webhook_delivery using (in_reach(organization_id));

grant select, insert, update, delete on webhook, webhook_delivery to $service;
