alter table run add column reuse_results boolean not null default true;

create table item_content (
    item_id uuid not null,
    organization_id text not null,
    key bytea not null,
    result_from timestamptz,
    primary key (item_id),
    foreign key (item_id) references item (id)
);
create index item_content_key on item_content (organization_id, key);

alter table item_content enable row level security;
create policy organization on item_content using (in_reach(organization_id));

grant select, insert, update (key, result_from) on item_content to $service;
