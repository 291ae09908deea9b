update public.units set bedrooms = bedrooms %% 9 + 1 where id = lpad(to_hex(:n::integer), 32, '0')::uuid
