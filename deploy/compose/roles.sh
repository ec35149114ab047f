#!/bin/sh
# Runs once, when the database is made: the roles that docs/how-to/run-the-parts-separately.md describes.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
  --set owner="$OWNER_PASSWORD" --set service="$SERVICE_PASSWORD" --set reader="$READER_PASSWORD" <<'SQL'
create role coverslip_owner login password :'owner';
create role coverslip_service login password :'service';
create role coverslip_reader login password :'reader';
create database coverslip owner coverslip_owner;
revoke all on database coverslip from public;
grant connect on database coverslip to coverslip_service, coverslip_reader;
SQL
