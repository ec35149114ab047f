-- 50 organizations that have submitted runs of an application that does nothing; the items all wait.
-- `%(runs)s` runs in all, of `%(items)s` items each. The runs of the first organization are `%(organization)s`'s and its
-- member's, who measure.
set session_replication_role = replica;

insert into application (id, name, description, regulatory_classes) values ('no-op', 'No-op', '', '[]');
insert into application_version (
    application_id, number, changelog, input_artifacts, output_artifacts, resources, released_at
) values (
    'no-op', '1.0.0', '', '[]', '[]', '{"cpu": 1, "memory_mb": 100, "gpu": 0, "time_limit_s": 60}', now()
);

insert into organization (id, name, display_name)
select 'many_' || n, 'many-' || n, 'Organization ' || n from generate_series(1, 49) n;

insert into user_account (id, issuer, subject, email, name)
select 'many_user_' || n, 'many', 'many_' || n, 'many-' || n || '@example.org', 'User ' || n from generate_series(1, 49) n;

create temporary table many_run as
select
    gen_random_uuid() as id,
    case when n %% 50 = 0 then %(organization)s else 'many_' || n %% 50 end as organization_id,
    case when n %% 50 = 0 then %(member)s else 'many_user_' || n %% 50 end as submitted_by,
    now() - (%(runs)s - n) * interval '1 second' as submitted_at
from generate_series(1, %(runs)s) n;

insert into run (
    id, organization_id, submitted_by, application_id, version_number, state, due_by, submitted_at, item_count,
    item_pending_count, item_processing_count, item_succeeded_count, item_user_error_count, item_system_error_count,
    item_skipped_count, last_event
)
select
    id, organization_id, submitted_by, 'no-op', '1.0.0', 'PENDING', submitted_at + interval '7 days', submitted_at,
    %(items)s, %(items)s, 0, 0, 0, 0, 0, 0
from many_run;

create temporary table many_item as
select gen_random_uuid() as id, many_run.id as run_id, organization_id, position
from many_run, generate_series(1, %(items)s) position;

insert into item (id, run_id, organization_id, position, external_id, state, attempt_count)
select id, run_id, organization_id, position, 'slide-' || position, 'PENDING', 0 from many_item;

insert into input_artifact (id, item_id, organization_id, name, metadata, download_url)
select gen_random_uuid(), id, organization_id, 'whole_slide_image', '{}', 'https://slides.example/' || id from many_item;

insert into organization_queue (organization_id, waiting)
select organization_id, sum(item_pending_count) from run where application_id = 'no-op' group by organization_id
on conflict (organization_id) do update set waiting = excluded.waiting;

set session_replication_role = default;
