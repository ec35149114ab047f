-- the order in which items are served
select 1;
