create table share_token (
    id uuid not null,
    organization_id text not null,
    created_by text not null,
    secret_hash bytea not null,
    created_at timestamptz default now() not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (id),
    unique (secret_hash),
    foreign key (organization_id) references organization (id),
    foreign key (created_by) references user_account (id)
);
create index share_token_by_creator on share_token (organization_id, created_by, created_at desc, id);

create table access_grant (
    id uuid not null,
    organization_id text not null,
    resource_type text not null,
    resource_id uuid not null,
    run_id uuid,
    subject_type text not null,
    subject_id text not null,
    relation text not null,
    created_by text not null,
    created_at timestamptz default now() not null,
    revoked_at timestamptz,
    primary key (id),
    constraint access_grant_resource_type check (resource_type in ('run', 'item', 'output_artifact', 'share_token')),
    constraint access_grant_subject_type check (subject_type in ('user', 'organization_admin', 'organization_user', 'share_token')),
    constraint access_grant_relation check (relation = 'viewer'),
    constraint access_grant_run check ((resource_type = 'share_token') = (run_id is null)),
    foreign key (organization_id) references organization (id),
    foreign key (run_id) references run (id),
    foreign key (created_by) references user_account (id)
);
create index access_grant_by_organization on access_grant (organization_id, created_at desc, id);
create index access_grant_by_subject on access_grant (subject_type, subject_id) where revoked_at is null;
create unique index access_grant_live on access_grant (resource_type, resource_id, subject_type, subject_id) where revoked_at is null;
create index access_grant_of_run on access_grant (run_id) where revoked_at is null;

create table version_document (
    id uuid not null,
    application_id text not null,
    version_number text not null,
    name text not null,
    mime_type text not null,
    visibility text not null,
    object_path text not null,
    created_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    primary key (id),
    constraint version_document_visibility check (visibility in ('public', 'internal')),
    foreign key (application_id, version_number) references application_version (application_id, number)
);
create unique index version_document_name on version_document (application_id, version_number, name);


-- Besides its organization, a grant is seen by those it is given to, wherever they are; only its organization writes it.

alter table share_token enable row level security;
alter table access_grant enable row level security;

create policy organization on share_token using (in_reach(organization_id));
create policy organization on access_grant using (in_reach(organization_id));

create policy holder on share_token for select using (
    encode(secret_hash, 'hex') = current_setting('coverslip.share_token', true)
);
create policy subject on access_grant for select using (
    case subject_type
        when 'user' then subject_id = current_setting('coverslip.user', true)
        when 'share_token' then exists (
            select from share_token
            where share_token.id::text = subject_id
                and encode(secret_hash, 'hex') = current_setting('coverslip.share_token', true)
        )
        else subject_id = current_setting('coverslip.organization', true)
    end
);


-- Grants and share tokens are revoked, never changed or deleted.

grant select, insert, update (revoked_at) on access_grant, share_token to $service;
grant select, insert, update, delete on version_document to $service;
