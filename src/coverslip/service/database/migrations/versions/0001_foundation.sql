create table application (
    id text not null,
    name text not null,
    description text not null,
    regulatory_classes jsonb not null,
    primary key (id)
);

create table audit_entry (
    number bigint generated always as identity,
    occurred_at timestamptz default now() not null,
    organization_id text,
    user_id text,
    action text not null,
    subject text not null,
    details jsonb not null,
    primary key (number)
);
create index audit_entry_organization on audit_entry (organization_id, occurred_at);

create table login_failure (
    email text not null,
    failed_at timestamptz default now() not null
);
create index login_failure_recent on login_failure (email, failed_at);

create table organization (
    id text not null,
    name text not null,
    display_name text not null,
    created_at timestamptz default now() not null,
    primary key (id),
    unique (name)
);

create table signing_key (
    kid text not null,
    public_jwk jsonb not null,
    private_key_encrypted bytea not null,
    created_at timestamptz default now() not null,
    retired_at timestamptz,
    primary key (kid)
);

create table user_account (
    id text not null,
    issuer text not null,
    subject text not null,
    email text not null,
    email_verified boolean default false not null,
    name text not null,
    password_hash text,
    created_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    disabled_at timestamptz,
    primary key (id)
);
create unique index user_account_email on user_account (issuer, lower(email));
create unique index user_account_subject on user_account (issuer, subject);

create table worker (
    id uuid not null,
    name text not null,
    token_hash bytea not null,
    created_at timestamptz default now() not null,
    disabled_at timestamptz,
    primary key (id),
    unique (token_hash)
);

create table application_version (
    application_id text not null,
    number text not null,
    changelog text not null,
    input_artifacts jsonb not null,
    output_artifacts jsonb not null,
    resources jsonb not null,
    released_at timestamptz not null,
    registered_at timestamptz default now() not null,
    primary key (application_id, number),
    foreign key (application_id) references application (id)
);

create table bucket_object (
    path text not null,
    organization_id text not null,
    user_id text not null,
    size_bytes bigint not null,
    checksum_base64_crc32c text not null,
    created_at timestamptz default now() not null,
    primary key (path),
    foreign key (organization_id) references organization (id),
    foreign key (user_id) references user_account (id)
);
create index bucket_object_owner on bucket_object (organization_id, user_id);

create table upload (
    id uuid not null,
    organization_id text not null,
    user_id text not null,
    path text not null,
    size_bytes bigint not null,
    checksum_base64_crc32c text not null,
    part_size_bytes bigint not null,
    created_at timestamptz default now() not null,
    touched_at timestamptz default now() not null,
    primary key (id),
    unique (path),
    foreign key (organization_id) references organization (id),
    foreign key (user_id) references user_account (id)
);
create index upload_abandoned on upload (touched_at);

create table device_authorization (
    device_code_hash bytea not null,
    user_code text not null,
    client_id text not null,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    user_id text,
    primary key (device_code_hash),
    unique (user_code),
    foreign key (user_id) references user_account (id)
);

create table membership (
    user_id text not null,
    organization_id text not null,
    role text not null,
    created_at timestamptz default now() not null,
    primary key (user_id, organization_id),
    constraint membership_role check (role in ('member', 'admin', 'super_admin')),
    foreign key (user_id) references user_account (id),
    foreign key (organization_id) references organization (id)
);

create table one_time_link (
    secret_hash bytea not null,
    purpose text not null,
    user_id text,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (secret_hash),
    constraint one_time_link_purpose check (purpose in ('setup', 'login')),
    constraint one_time_link_user check ((purpose = 'login') = (user_id is not null)),
    foreign key (user_id) references user_account (id)
);

create table refresh_token (
    token_hash bytea not null,
    user_id text not null,
    organization_id text not null,
    client_id text not null,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (token_hash),
    foreign key (user_id) references user_account (id),
    foreign key (organization_id) references organization (id)
);

create table run (
    id uuid not null,
    organization_id text not null,
    submitted_by text not null,
    application_id text not null,
    version_number text not null,
    state text not null,
    termination_reason text,
    error_code text,
    error_message text,
    custom_metadata jsonb,
    callback_context jsonb,
    due_date timestamptz,
    deadline timestamptz,
    due_by timestamptz not null,
    submitted_at timestamptz default now() not null,
    terminated_at timestamptz,
    results_deleted_at timestamptz,
    item_count integer not null,
    item_pending_count integer not null,
    item_processing_count integer not null,
    item_succeeded_count integer not null,
    item_user_error_count integer not null,
    item_system_error_count integer not null,
    item_skipped_count integer not null,
    last_event bigint not null,
    idempotency_key text,
    request_digest bytea,
    primary key (id),
    foreign key (application_id, version_number) references application_version (application_id, number),
    constraint run_state check (state in ('PENDING', 'PROCESSING', 'TERMINATED')),
    constraint run_termination_reason check (termination_reason in ('ALL_ITEMS_PROCESSED', 'CANCELED_BY_SYSTEM', 'CANCELED_BY_USER')),
    constraint run_terminated check ((state = 'TERMINATED') = (termination_reason is not null) and (state = 'TERMINATED') = (terminated_at is not null)),
    constraint run_statistics check (least(item_pending_count, item_processing_count, item_succeeded_count, item_user_error_count, item_system_error_count, item_skipped_count) >= 0 and item_count = item_pending_count + item_processing_count + item_succeeded_count + item_user_error_count + item_system_error_count + item_skipped_count),
    foreign key (organization_id) references organization (id),
    foreign key (submitted_by) references user_account (id)
);
create index run_by_organization on run (organization_id, submitted_at desc, id);
create index run_by_submitter on run (organization_id, submitted_by, submitted_at desc, id);
create index run_deadline on run (deadline) where state <> 'TERMINATED' and deadline is not null;
create unique index run_idempotency on run (organization_id, submitted_by, idempotency_key) where idempotency_key is not null;
create index run_metadata on run using gin (custom_metadata jsonb_path_ops);
create index run_waiting on run (due_by, submitted_at, id) where item_pending_count > 0;

create table event (
    run_id uuid not null,
    number bigint not null,
    organization_id text not null,
    kind text not null,
    item_id uuid,
    payload jsonb not null,
    occurred_at timestamptz default now() not null,
    primary key (run_id, number),
    foreign key (run_id) references run (id)
);

create table item (
    id uuid not null,
    run_id uuid not null,
    organization_id text not null,
    position integer not null,
    external_id text not null,
    custom_metadata jsonb,
    state text not null,
    termination_reason text,
    error_code text,
    error_message text,
    terminated_at timestamptz,
    attempt_count integer not null,
    available_at timestamptz default now() not null,
    primary key (id),
    constraint item_state check (state in ('PENDING', 'PROCESSING', 'TERMINATED')),
    constraint item_termination_reason check (termination_reason in ('SUCCEEDED', 'USER_ERROR', 'SYSTEM_ERROR', 'SKIPPED')),
    constraint item_terminated check ((state = 'TERMINATED') = (termination_reason is not null) and (state = 'TERMINATED') = (terminated_at is not null)),
    foreign key (run_id) references run (id)
);
create index item_by_external_id on item (organization_id, external_id);
create unique index item_external_id on item (run_id, external_id);
create unique index item_position on item (run_id, position);
create index item_waiting on item (run_id, position) where state = 'PENDING';

create table attempt (
    item_id uuid not null,
    number integer not null,
    run_id uuid not null,
    organization_id text not null,
    worker_id uuid not null,
    worker_name text not null,
    started_at timestamptz default now() not null,
    ended_at timestamptz,
    outcome text,
    stage text default '' not null,
    fraction double precision default 0 not null,
    error_code text,
    error_message text,
    log text default '' not null,
    peak_memory_mb integer,
    sweep_due_at timestamptz,
    primary key (item_id, number),
    foreign key (item_id) references item (id),
    foreign key (run_id) references run (id),
    foreign key (worker_id) references worker (id)
);
create index attempt_run on attempt (run_id);
create index attempt_unswept on attempt (sweep_due_at) where sweep_due_at is not null;

create table input_artifact (
    id uuid not null,
    item_id uuid not null,
    organization_id text not null,
    name text not null,
    metadata jsonb not null,
    download_url text not null,
    object_path text,
    primary key (id),
    foreign key (item_id) references item (id)
);
create unique index input_artifact_item on input_artifact (item_id, name);

create table lease (
    item_id uuid not null,
    run_id uuid not null,
    organization_id text not null,
    worker_id uuid not null,
    attempt integer not null,
    token_hash bytea not null,
    expires_at timestamptz not null,
    primary key (item_id),
    foreign key (item_id) references item (id),
    foreign key (run_id) references run (id),
    foreign key (worker_id) references worker (id)
);
create index lease_expiry on lease (expires_at);

create table output_artifact (
    id uuid not null,
    item_id uuid not null,
    run_id uuid not null,
    organization_id text not null,
    name text not null,
    position integer not null,
    state text not null,
    termination_reason text,
    output text not null,
    error_code text,
    error_message text,
    metadata jsonb,
    object_path text,
    size_bytes bigint,
    terminated_at timestamptz,
    primary key (id),
    constraint output_artifact_state check (state in ('PENDING', 'PROCESSING', 'TERMINATED')),
    constraint output_artifact_termination_reason check (termination_reason in ('SUCCEEDED', 'USER_ERROR', 'SYSTEM_ERROR', 'SKIPPED')),
    constraint output_artifact_output check (output in ('NONE', 'AVAILABLE', 'DELETED_BY_USER', 'DELETED_BY_SYSTEM')),
    constraint output_artifact_terminated check ((state = 'TERMINATED') = (termination_reason is not null)),
    constraint output_artifact_available check ((output = 'NONE') = (termination_reason is distinct from 'SUCCEEDED') and (output <> 'AVAILABLE' or object_path is not null)),
    foreign key (item_id) references item (id),
    foreign key (run_id) references run (id)
);
create unique index output_artifact_item on output_artifact (item_id, name);
create index output_artifact_run on output_artifact (run_id);


-- States change only as this table says, whoever writes. The service's rules hold the same table.

create table state_transition (
    source text not null,
    target text not null,
    primary key (source, target)
);

insert into state_transition (source, target) values
    ('PENDING', 'PROCESSING'),
    ('PENDING', 'TERMINATED'),
    ('PROCESSING', 'PENDING'),
    ('PROCESSING', 'TERMINATED');

create function refuse_transition() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'PENDING' then
            raise exception 'a new % must be PENDING, not %', tg_table_name, new.state using errcode = 'check_violation';
        end if;
    elsif new.state is distinct from old.state then
        if not exists (select from state_transition where source = old.state and target = new.state) then
            raise exception '% % cannot go from % to %', tg_table_name, old.id, old.state, new.state
                using errcode = 'check_violation';
        end if;
    elsif new.termination_reason is distinct from old.termination_reason then
        raise exception '% % has ended as %, which cannot change', tg_table_name, old.id, old.termination_reason
            using errcode = 'check_violation';
    end if;
    return new;
end
$$;

create trigger refuse_transition before insert or update of state, termination_reason on run
    for each row execute function refuse_transition();
create trigger refuse_transition before insert or update of state, termination_reason on item
    for each row execute function refuse_transition();
create trigger refuse_transition before insert or update of state, termination_reason on output_artifact
    for each row execute function refuse_transition();


-- The second wall between organizations: whatever a query forgets, rows of others stay invisible.

create function in_reach(row_organization text) returns boolean language sql stable as $$
    select row_organization = current_setting('coverslip.organization', true)
        or current_setting('coverslip.reach', true) = 'platform'
$$;

alter table run enable row level security;
alter table item enable row level security;
alter table input_artifact enable row level security;
alter table output_artifact enable row level security;
alter table event enable row level security;
alter table lease enable row level security;
alter table attempt enable row level security;
alter table bucket_object enable row level security;
alter table upload enable row level security;

create policy organization on run using (in_reach(organization_id));
create policy organization on item using (in_reach(organization_id));
create policy organization on input_artifact using (in_reach(organization_id));
create policy organization on output_artifact using (in_reach(organization_id));
create policy organization on event using (in_reach(organization_id));
create policy organization on lease using (in_reach(organization_id));
create policy organization on attempt using (in_reach(organization_id));
create policy organization on bucket_object using (in_reach(organization_id));
create policy organization on upload using (in_reach(organization_id));


-- What the roles may do: the service writes rows, the reader looks at what users filter.

grant usage on schema public to $service, $reader;
grant select, insert, update, delete on all tables in schema public to $service;
revoke update, delete on audit_entry, event, state_transition from $service;
revoke insert on state_transition from $service;
grant select on run, item, input_artifact, output_artifact to $reader;
