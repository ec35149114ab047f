create table bucket_key (
    access_key_id text not null,
    organization_id text not null,
    user_id text not null,
    secret_encrypted bytea not null,
    created_at timestamptz default now() not null,
    revoked_at timestamptz,
    primary key (access_key_id),
    foreign key (organization_id) references organization (id),
    foreign key (user_id) references user_account (id)
);
create unique index bucket_key_live on bucket_key (organization_id, user_id) where revoked_at is null;

alter table bucket_key enable row level security;
create policy organization on bucket_key using (in_reach(organization_id));
grant select, insert, update (revoked_at) on bucket_key to $service;

-- What clients of the S3 dialect call an object. Without a key it is on its way in, or was replaced or deleted while a
-- run still needs it. Keys are in the order of S3, which is that of their bytes.
alter table bucket_object add column key text collate "C";
alter table bucket_object add column md5_hex text;
update bucket_object set key = 'coverslip-uploads/' || substr(path, length(organization_id) + 2);
create unique index bucket_object_key on bucket_object (organization_id, key);
create index bucket_object_keyless on bucket_object (created_at) where key is null;

-- Whether a run needs an object is asked before it is deleted.
create index input_artifact_object on input_artifact (object_path) where object_path is not null;
