create table organization_quota (
    organization_id text not null,
    slides_per_month bigint,
    parallel_runs bigint,
    slides_per_run bigint,
    users bigint,
    storage_bytes bigint,
    primary key (organization_id),
    foreign key (organization_id) references organization (id)
);

create table user_quota (
    organization_id text not null,
    user_id text not null,
    slides_per_month bigint,
    parallel_runs bigint,
    primary key (organization_id, user_id),
    foreign key (user_id, organization_id) references membership (user_id, organization_id) on delete cascade
);

create table slide_price (
    organization_id text not null,
    application_id text not null,
    version_number text,
    amount numeric(12, 4) not null,
    currency text not null,
    unique nulls not distinct (organization_id, application_id, version_number),
    constraint slide_price_amount check (amount >= 0),
    foreign key (organization_id) references organization (id),
    foreign key (application_id) references application (id),
    foreign key (application_id, version_number) references application_version (application_id, number)
);

create table slide_usage (
    item_id uuid not null,
    organization_id text not null,
    user_id text not null,
    application_id text not null,
    version_number text not null,
    succeeded_at timestamptz default now() not null,
    is_reused boolean not null,
    amount numeric(12, 4),
    currency text,
    primary key (item_id),
    constraint slide_usage_cost check ((amount is null) = (currency is null)),
    foreign key (item_id) references item (id)
);
create index slide_usage_organization on slide_usage (organization_id, succeeded_at);

-- What was processed before there were prices was free.
insert into slide_usage (item_id, organization_id, user_id, application_id, version_number, succeeded_at, is_reused)
select item.id, run.organization_id, run.submitted_by, run.application_id, run.version_number, item.terminated_at, false
from item join run on run.id = item.run_id where item.termination_reason = 'SUCCEEDED';

create index run_unfinished on run (organization_id, submitted_by) where state <> 'TERMINATED';

alter table organization_quota enable row level security;
alter table user_quota enable row level security;
alter table slide_price enable row level security;
alter table slide_usage enable row level security;
create policy organization on organization_quota using (in_reach(organization_id));
create policy organization on user_quota using (in_reach(organization_id));
create policy organization on slide_price using (in_reach(organization_id));
create policy organization on slide_usage using (in_reach(organization_id));

grant select, insert, update, delete on organization_quota, user_quota, slide_price to $service;
grant select, insert on slide_usage to $service;
