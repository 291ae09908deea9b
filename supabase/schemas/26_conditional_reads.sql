-- Reads that a client may ask for again: an answer carries a tag, and an unchanged one is not sent twice.

-- Tags the body for this caller, and answers 304 without it where If-None-Match names that tag. For functions that answer
-- jsonb on GET: the tag is a digest of what the caller gets, so it is as private, and as fresh, as the answer itself.
create function private.conditional(p_body jsonb)
    returns jsonb
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_tag text;
    v_known text := nullif(current_setting('request.headers', true), '')::json ->> 'if-none-match';
begin
    -- A POST is answered in full, and no cache keeps it.
    if coalesce(current_setting('request.method', true), '') <> 'GET' then
        return p_body;
    end if;
    v_tag := left(encode(sha256(convert_to(coalesce(p_body, 'null')::text, 'UTF8')), 'hex'), 32);
    perform set_config('response.headers', (
        coalesce(nullif(current_setting('response.headers', true), '')::jsonb, '[]') || jsonb_build_array(
            jsonb_build_object('ETag', format('"%s"', v_tag)),
            -- A browser may keep it, and asks each time whether it still holds; what stands between never keeps it.
            jsonb_build_object('Cache-Control', 'private, no-cache'),
            jsonb_build_object('Vary', 'Authorization, Accept')
        )
    )::text, true);
    -- The comparison is the weak one (RFC 9110, 13.1.2): a proxy that compresses may have made the tag weak.
    if btrim(v_known) = '*' or exists (
        select from regexp_matches(v_known, '(?:W/)?"([^"]*)"', 'g') as known (tag) where known.tag[1] = v_tag
    ) then
        perform set_config('response.status', '304', true);
        return null;
    end if;
    return p_body;
end
$$;

grant execute on function private.conditional(jsonb) to authenticated;
