-- results that are used again
select 1;
