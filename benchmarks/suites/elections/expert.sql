-- The data arrives by date and county already. What is left for sort orders: everything about one candidate, everything
-- about one office, and the look-up of a precinct.
CREATE TABLE expert_results AS SELECT * FROM results ORDER BY candidate, election_date;
CREATE TABLE expert_results AS SELECT * FROM results ORDER BY office, election_date;
CREATE TABLE expert_results AS SELECT * FROM results ORDER BY county, precinct;
