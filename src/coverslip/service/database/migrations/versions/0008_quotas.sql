-- quotas, usage and cost
select 1;
