/**
 * Takings of each shop, a minute each.
 */
CREATE OR REPLACE STREAM TAKINGS_STREAM (
	"shop"		VARCHAR(16),
	takings		DOUBLE,
	sales		INTEGER,
	"minute"	TIMESTAMP
--	, refunds	INTEGER
);

-- ** Pump: sums; one row a shop **
Create Or Replace Pump "TAKINGS_PUMP" As
Insert Into TAKINGS_STREAM
-- 'amount' is in euro; see the till's manual
select stream "shop",
       Sum("amount") as total,
       count(*) noOfSales,
       ROWTIME
From "SOURCE_SQL_STREAM_001"
Group By "shop", Step("SOURCE_SQL_STREAM_001".ROWTIME By Interval '1' Minute);
