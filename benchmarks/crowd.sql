-- A platform that has been used for a year: 100,000 runs of 10 items in 50 organizations, a million items in all.
-- `%(organization)s` and `%(member)s` are the ones who measure; 20,000 of the runs are theirs.
set session_replication_role = replica;

insert into organization (id, name, display_name)
select 'crowd_' || n, 'crowd-' || n, 'Organization ' || n from generate_series(1, 49) n;

insert into user_account (id, issuer, subject, email, name)
select 'crowd_user_' || n, 'crowd', 'crowd_' || n, 'crowd-' || n || '@example.org', 'User ' || n
from generate_series(1, 49) n;

create temporary table crowd_run as
select
    n,
    gen_random_uuid() as id,
    case when n %% 5 = 0 then %(organization)s else 'crowd_' || (n %% 49 + 1) end as organization_id,
    case when n %% 5 = 0 then %(member)s else 'crowd_user_' || (n %% 49 + 1) end as submitted_by,
    -- One run in five hundred still waits.
    n %% 500 = 0 as waits,
    now() - (100001 - n) * interval '5 minutes' as submitted_at
from generate_series(1, 100000) n;

insert into run (
    id, organization_id, submitted_by, application_id, version_number, state, termination_reason, custom_metadata,
    due_by, submitted_at, terminated_at, item_count, item_pending_count, item_processing_count, item_succeeded_count,
    item_user_error_count, item_system_error_count, item_skipped_count, last_event
)
select
    id, organization_id, submitted_by, 'test-app', '1.0.0',
    case when waits then 'PENDING' else 'TERMINATED' end,
    case when waits then null else 'ALL_ITEMS_PROCESSED' end,
    jsonb_build_object(
        'study', 'study-' || n %% 97,
        'case', n,
        'sdk', jsonb_build_object('tags', jsonb_build_array('batch-' || n %% 11, 'site-' || n %% 13))
            || case when n %% 7 = 0 then jsonb_build_object('note', 'Urgent, please: case ' || n) else '{}' end
    ),
    submitted_at + interval '7 days', submitted_at,
    case when waits then null else submitted_at + interval '1 hour' end,
    10, case when waits then 10 else 0 end, 0, case when waits then 0 else 10 end, 0, 0, 0, 0
from crowd_run;

create temporary table crowd_item as
select crowd_run.n, p as position, crowd_run.id as run_id, gen_random_uuid() as id, organization_id, waits, submitted_at
from crowd_run, generate_series(0, 9) p;

insert into item (
    id, run_id, organization_id, position, external_id, custom_metadata, state, termination_reason, terminated_at,
    attempt_count
)
select
    id, run_id, organization_id, position, '/slides/case-' || n || '/slide-' || position || '.svs',
    jsonb_build_object('block', position),
    case when waits then 'PENDING' else 'TERMINATED' end, case when waits then null else 'SUCCEEDED' end,
    case when waits then null else submitted_at + interval '1 hour' end, case when waits then 0 else 1 end
from crowd_item;

insert into input_artifact (id, item_id, organization_id, name, metadata, download_url)
select
    gen_random_uuid(), id, organization_id, 'whole_slide_image',
    '{"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.25, "width_px": 90000, "height_px": 80000}',
    'https://slides.example/case-' || n || '/slide-' || position || '.svs'
from crowd_item;

insert into output_artifact (
    id, item_id, run_id, organization_id, name, position, state, termination_reason, output, metadata, object_path,
    size_bytes, terminated_at
)
select
    gen_random_uuid(), id, run_id, organization_id, 'artifact:' || k, k,
    case when waits then 'PENDING' else 'TERMINATED' end, case when waits then null else 'SUCCEEDED' end,
    case when waits then 'NONE' else 'AVAILABLE' end,
    '{"checksum_base64_crc32c": "AAAAAA==", "media_type": "text/csv"}', run_id || '/' || id || '/' || k, 1000,
    case when waits then null else submitted_at + interval '1 hour' end
from crowd_item, generate_series(0, 5) k;

insert into organization_queue (organization_id, waiting)
select organization_id, sum(item_pending_count) from run group by organization_id
on conflict (organization_id) do update set waiting = excluded.waiting;

set session_replication_role = default;
