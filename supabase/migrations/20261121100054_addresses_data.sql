-- Words that addresses are written short with: USPS Publication 28 has most of them.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.address_abbreviations (short, long) values
('n', 'north'), ('s', 'south'), ('e', 'east'), ('w', 'west'),
('ne', 'northeast'), ('nw', 'northwest'), ('se', 'southeast'), ('sw', 'southwest'),
('al', 'alley'), ('aly', 'alley'), ('ave', 'avenue'), ('av', 'avenue'), ('blvd', 'boulevard'), ('bldg', 'building'),
('cir', 'circle'), ('cres', 'crescent'), ('ct', 'court'), ('cts', 'courts'), ('cv', 'cove'), ('dr', 'drive'),
('expy', 'expressway'), ('fwy', 'freeway'), ('ft', 'fort'), ('hbr', 'harbor'), ('hts', 'heights'), ('hwy', 'highway'),
('jct', 'junction'), ('ln', 'lane'), ('lndg', 'landing'), ('mt', 'mount'), ('mtn', 'mountain'), ('pkwy', 'parkway'),
('pl', 'place'), ('plz', 'plaza'), ('pt', 'point'), ('rd', 'road'), ('rte', 'route'), ('sq', 'square'), ('st', 'street'),
('ste', 'suite'), ('ter', 'terrace'), ('trl', 'trail'), ('tpke', 'turnpike'), ('vlg', 'village'), ('xing', 'crossing');

