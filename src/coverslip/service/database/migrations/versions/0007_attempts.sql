-- what is kept of attempts, thresholds and retention
select 1;
