-- migrate:up
-- A function that runs with its owner's rights names pg_temp last in its search_path: what is not named is looked through first, and
-- whoever calls it could put a temporary table of their own in front of ours, an empty detached_days for instance.

ALTER FUNCTION open_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION drop_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION detach_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION attach_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION drop_detached_day(integer) SET search_path = public, pg_temp;
ALTER FUNCTION drop_strays(timestamptz, integer) SET search_path = public, pg_temp;

REVOKE ALL ON FUNCTION leaf_of(integer) FROM PUBLIC;

-- migrate:down
