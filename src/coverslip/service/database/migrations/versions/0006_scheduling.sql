create table organization_queue (
    organization_id text not null,
    weight double precision default 1 not null,
    max_items integer,
    max_items_per_user integer,
    max_items_per_run integer,
    level double precision default '-infinity' not null,
    last_start double precision default '-infinity' not null,
    waiting integer default 0 not null,
    processing integer default 0 not null,
    primary key (organization_id),
    constraint organization_queue_counts check (least(waiting, processing) >= 0),
    constraint organization_queue_weight check (weight > 0),
    foreign key (organization_id) references organization (id)
);
create index organization_queue_order on organization_queue (level, organization_id) where waiting > 0;
create index organization_queue_last_start on organization_queue (last_start);

insert into organization_queue (organization_id, waiting, processing)
select organization.id, coalesce(sum(item_pending_count), 0), coalesce(sum(item_processing_count), 0)
from organization left join run on run.organization_id = organization.id and run.state <> 'TERMINATED'
group by organization.id;

alter table organization_queue enable row level security;
create policy organization on organization_queue using (in_reach(organization_id));
grant select, insert, update, delete on organization_queue to $service;

-- Whoever submits starts level with the others. Of those they learn these two numbers and nothing else, so the function
-- looks over the wall.
create function levels_of_others(
    of_organization text, out frontier double precision, out least_waiting double precision
) language sql stable security definer set search_path = public, pg_temp as $$
    select
        (select last_start from organization_queue order by last_start desc limit 1),
        (select level from organization_queue
            where waiting > 0 and organization_id <> of_organization order by level, organization_id limit 1)
$$;
revoke execute on function levels_of_others from public;
grant execute on function levels_of_others to $service;

create table version_duration (
    application_id text not null,
    number text not null,
    mean_s double precision not null,
    primary key (application_id, number),
    foreign key (application_id, number) references application_version (application_id, number)
);
grant select, insert, update, delete on version_duration to $service;

alter table attempt
    add column charged_s double precision default 0 not null,
    add column weight double precision default 1 not null;

alter table run add column passed_over_at timestamptz;

drop index run_waiting;
create index run_waiting on run (organization_id, due_by, submitted_at, id) where item_pending_count > 0;
create index run_processing on run (organization_id, submitted_by) where item_processing_count > 0;
