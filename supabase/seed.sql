-- The demonstration's people: a property manager with an owner, a manager and a viewer, and a stranger with a workspace of
-- their own. All four sign in with the password `maple-and-main`. For local stacks only; run twice, it changes nothing.
-- The portfolio comes from supabase/demo/rent_roll.csv, through `freehold import rent-roll`.

insert into auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token, recovery_token,
    email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
select
    '00000000-0000-0000-0000-000000000000' as instance_id,
    person.id,
    'authenticated' as aud,
    'authenticated' as role,
    person.email,
    '$2a$10$byglkwr5HDrGgJDUM4vjBuBODjEclMiuMBUlOf2suvd6ddCtSVrYC' as encrypted_password,
    now() as email_confirmed_at,
    -- Auth reads these as text and stumbles over null.
    '' as confirmation_token,
    '' as recovery_token,
    '' as email_change_token_new,
    '' as email_change,
    '{"provider": "email", "providers": ["email"]}'::jsonb as raw_app_meta_data,
    '{}'::jsonb as raw_user_meta_data,
    now() as created_at,
    now() as updated_at
from (
    values
    ('5eed0000-0000-4000-8000-000000000001'::uuid, 'owner@maple.test'),
    ('5eed0000-0000-4000-8000-000000000002'::uuid, 'manager@maple.test'),
    ('5eed0000-0000-4000-8000-000000000003'::uuid, 'viewer@maple.test'),
    ('5eed0000-0000-4000-8000-000000000004'::uuid, 'other@oak.test')
) as person (id, email)
on conflict (id) do nothing;

insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select
    person.id::text as provider_id,
    person.id as user_id,
    jsonb_build_object(
        'sub', person.id, 'email', person.email, 'email_verified', true, 'phone_verified', false
    ) as identity_data,
    'email' as provider,
    person.created_at as last_sign_in_at,
    person.created_at,
    person.updated_at
from auth.users as person
where person.id::text like '5eed0000-0000-4000-8000-%'
on conflict (provider_id, provider) do nothing;

insert into public.workspaces (id, name, currency, timezone, created_by) values
(
    '5eed0000-0000-4000-8000-00000000000a', 'Maple & Main Property Management', 'USD', 'America/New_York',
    '5eed0000-0000-4000-8000-000000000001'
),
(
    '5eed0000-0000-4000-8000-00000000000b', 'Oak Street Rentals', 'USD', 'America/Chicago',
    '5eed0000-0000-4000-8000-000000000004'
)
on conflict (id) do nothing;

insert into public.workspace_members (workspace_id, user_id, role) values
('5eed0000-0000-4000-8000-00000000000a', '5eed0000-0000-4000-8000-000000000001', 'owner'),
('5eed0000-0000-4000-8000-00000000000a', '5eed0000-0000-4000-8000-000000000002', 'manager'),
('5eed0000-0000-4000-8000-00000000000a', '5eed0000-0000-4000-8000-000000000003', 'viewer'),
('5eed0000-0000-4000-8000-00000000000b', '5eed0000-0000-4000-8000-000000000004', 'owner')
on conflict (workspace_id, user_id) do nothing;
