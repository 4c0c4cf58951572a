-- Four ways to ask for the revenue of three customers in the last quarter of 1998, each reading less than the one before.
-- {visits} stands for uservisits_csv or uservisits_parquet.

-- 1: no condition on a partition key: every file is read.
SELECT customer, visitYearMonth, SUM(adRevenue) AS revenue
FROM poc.{visits}
WHERE visitDate >= DATE '1998-10-01' AND countryCode = 'DEU'
GROUP BY customer, visitYearMonth
ORDER BY customer, visitYearMonth;

-- 2: a condition on one key: the partitions of three customers of six.
SELECT customer, visitYearMonth, SUM(adRevenue) AS revenue
FROM poc.{visits}
WHERE customer <= 3 AND visitDate >= DATE '1998-10-01' AND countryCode = 'DEU'
GROUP BY customer, visitYearMonth
ORDER BY customer, visitYearMonth;

-- 3: both keys, the months by a join with a dimension: the partitions that the dimension leaves.
SELECT c.c_name, c.c_mktsegment, v.visitYearMonth, SUM(v.adRevenue) AS revenue
FROM poc.{visits} AS v
JOIN poc.customer AS c ON c.c_custkey = v.customer
JOIN (SELECT DISTINCT d_yearmonthnum FROM poc.dwdate WHERE d_yearmonthnum >= 199810) AS t ON t.d_yearmonthnum = v.visitYearMonth
WHERE c.c_custkey <= 3 AND v.countryCode = 'DEU'
GROUP BY c.c_name, c.c_mktsegment, v.visitYearMonth
ORDER BY c.c_name, v.visitYearMonth;

-- 4: the visits are added up before the join: the join sees a row a customer and month.
SELECT c.c_name, c.c_mktsegment, v.visitYearMonth, v.revenue
FROM (
  SELECT customer, visitYearMonth, SUM(adRevenue) AS revenue
  FROM poc.{visits}
  WHERE customer <= 3 AND visitYearMonth >= 199810 AND countryCode = 'DEU'
  GROUP BY customer, visitYearMonth
) AS v
JOIN poc.customer AS c ON c.c_custkey = v.customer
JOIN (SELECT DISTINCT d_yearmonthnum FROM poc.dwdate WHERE d_yearmonthnum >= 199810) AS t ON t.d_yearmonthnum = v.visitYearMonth
ORDER BY c.c_name, v.visitYearMonth;
