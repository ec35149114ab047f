-- A refresh token is a session: it can be named, listed and ended without knowing the token.

alter table refresh_token
    add column id uuid default gen_random_uuid() not null unique,
    add column scope text default 'offline_access' not null,
    add column label text,
    add column last_used_at timestamptz;
create index refresh_token_user on refresh_token (user_id);

alter table device_authorization
    add column scope text default 'offline_access' not null;

create table authorization_code (
    code_hash bytea not null,
    client_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    scope text not null,
    state text,
    nonce text,
    user_id text not null,
    organization_id text,
    created_at timestamptz default now() not null,
    expires_at timestamptz not null,
    session_id uuid,
    primary key (code_hash),
    foreign key (user_id) references user_account (id),
    foreign key (organization_id) references organization (id),
    foreign key (session_id) references refresh_token (id)
);
create index authorization_code_expires on authorization_code (expires_at);

grant select, insert, update, delete on authorization_code to $service;
