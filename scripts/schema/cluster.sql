-- What pg_dump leaves out because it belongs to the cluster: (name, definition), one row an object.

select 'role ' || r.rolname as name, to_jsonb(r) - 'oid' - 'rolpassword' - 'rolconfig' - 'rolvaliduntil' #>> '{}' as definition
from pg_catalog.pg_roles as r
where r.rolname !~ '^pg_'

union all

select 'membership of ' || m.member::regrole || ' in ' || m.roleid::regrole,
    string_agg(
        format('admin %s, inherit %s, set %s', m.admin_option, m.inherit_option, m.set_option), e'\n'
        order by m.admin_option, m.inherit_option, m.set_option
    )
from pg_catalog.pg_auth_members as m
group by m.member, m.roleid

union all

select 'setting of '
        || case s.setrole when 0 then 'every role' else 'role ' || s.setrole::regrole end
        || case s.setdatabase when 0 then '' else ' in this database' end
        || ': ' || split_part(c.setting, '=', 1),
    c.setting
from pg_catalog.pg_db_role_setting as s
cross join lateral unnest(s.setconfig) as c (setting)
where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))

union all

select 'right to set ' || p.parname, array_to_string(array(select unnest(p.paracl)::text order by 1), e'\n')
from pg_catalog.pg_parameter_acl as p

union all

select 'privileges on this database', array_to_string(array(select unnest(d.datacl)::text order by 1), e'\n')
from pg_catalog.pg_database as d
where d.datname = current_database()

order by name;
