#!/bin/bash
# Run once by the image of PostgreSQL: a role and a database for Synapse, and for the proxy.
set -euo pipefail
for name in synapse proxy; do
  password=$(<"/run/secrets/${name}_database_password")
  psql --set=ON_ERROR_STOP=1 --username postgres --set=name="$name" --set=password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
SQL
done
