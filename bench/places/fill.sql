-- The next 5,000 synthetic addresses, from number %(first)s on, as an import adds them: some 40,000 streets in 2,500 cities, a tenth of
-- all in one of them, house numbers up to 9,999; names from syllables, so that beginnings are shared as they are in life.

select worker.add_addresses('bench', '2027-01-01', (
    select jsonb_agg(jsonb_build_object(
        'address_line1', concat_ws(
            ' ', 1 + ((n * 7919::bigint) %% 9999),
            case when n %% 5 = 0 then (array['North', 'South', 'East', 'West'])[1 + n / 5 %% 4] end,
            s.heads[1 + (street * 31) %% 45] || s.tails[1 + (street / 45) %% 45],
            (array['Street', 'Avenue', 'Road', 'Drive', 'Lane', 'Court', 'Boulevard', 'Way', 'Place', 'Circle'])[1 + street / 2025 %% 10]
        ),
        'city', initcap(s.heads[1 + city %% 45] || s.tails[1 + city / 45 %% 45]) || (array['', 'ville', 'ton', ' Springs', ' City'])[1 + city %% 5],
        'state', (array['AL', 'AK', 'AZ', 'AR', 'CA', 'CO', 'CT', 'DE', 'FL', 'GA', 'IL', 'IN', 'TX', 'NY', 'WA'])[1 + city %% 15],
        'postal_code', lpad((10000 + (city * 31 + n %% 12) %% 89999)::text, 5, '0'),
        'country', case when n %% 20 = 0 then 'CA' else 'US' end,
        'latitude', 30 + (n %% 10000) / 1000.0,
        'longitude', -120 + (n %% 40000) / 1000.0
    ))
    from (
        select
            n,
            ((n * 104729::bigint) %% 20250)::integer as street,
            -- A tenth of all live in one city.
            case when n %% 10 = 3 then 7 else ((n * 15485863::bigint) %% 2500)::integer end as city
        from generate_series(%(first)s, %(first)s + 4999) as n
    ) as numbered
    cross join (
        select
            string_to_array('Sm,Jo,Wil,Br,Gar,Mil,Da,Rod,Mar,Her,Lo,Gon,An,Tho,Tay,Moo,Jack,Lee,Per,Wh,Har,San,Cla,Ram,Lew,Rob,Wal,Yo,Al,Ki,Wri,Sco,Tor,Ng,Hill,Flo,Gre,Ad,Nel,Ba,Hal,Riv,Cam,Mit,Car', ',') as heads,
            string_to_array('ith,hnson,liams,own,cia,ler,vis,riguez,tinez,nandez,pez,zales,derson,mas,lor,re,son,e,kins,ite,ris,chez,rk,irez,is,inson,ker,ung,len,ng,ght,tt,res,uyen,en,man,ams,tes,kers,ers,ton,ley,dez,ova,berg', ',') as tails
    ) as s
))
